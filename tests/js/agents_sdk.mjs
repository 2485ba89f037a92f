// The stock `@openai/agents` realtime session against a running server.
import assert from 'node:assert/strict';
import { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession, tool } from '@openai/agents/realtime';
import { z } from 'zod';
import { Log, question, run, server, speak } from './common.mjs';

// The SDK's own strict reader: what it does not understand it silently ignores, so we ask it.
const reader = './node_modules/@openai/agents-realtime/dist/openaiRealtimeEvents.mjs';
const { parseRealtimeEvent } = await import(new URL(reader, import.meta.url));
const UNKNOWN_TO_THE_SDK = new Set(['input_audio_buffer.timeout_triggered']);

const url = new URL('/v1/realtime?model=gpt-realtime-2.1', server);
url.protocol = 'ws';

async function open(options = {}) {
  const calls = [];
  const findOrder = tool({
    name: 'order_taxi',
    description: 'Orders a taxi under a number.',
    parameters: z.object({ order_number: z.string() }),
    execute: async (input) => {
      calls.push(input);
      return 'it is on its way';
    },
  });
  const agent = new RealtimeAgent({
    name: 'Shop',
    instructions: options.instructions ?? '',
    tools: options.tools ? [findOrder] : [],
  });
  const transport = new OpenAIRealtimeWebSocket({ url: url.href, useInsecureApiKey: true });
  const session = new RealtimeSession(agent, { transport, ...options.session });
  const log = new Log();
  const audio = [];
  session.on('audio', (event) => audio.push(Buffer.from(event.data)));
  session.on('error', (event) => log.add({ type: 'sdk.error', event }));
  session.on('audio_interrupted', () => log.add({ type: 'sdk.audio_interrupted' }));
  session.on('history_updated', (history) => log.add({ type: 'sdk.history_updated', history }));
  session.on('agent_tool_end', (...event) => log.add({ type: 'sdk.tool_end', event }));
  session.on('transport_event', (event) => {
    if (event.event_id !== undefined && !UNKNOWN_TO_THE_SDK.has(event.type)) {
      const { isGeneric } = parseRealtimeEvent({ data: JSON.stringify(event) });
      assert.equal(isGeneric, false, `the SDK cannot read ${JSON.stringify(event)}`);
    }
    log.add(event);
  });
  const updated = log.next(
    (event) => event.type === 'session.updated' && event.session.tools !== undefined,
    'session.updated',
  );
  await session.connect({ apiKey: 'ek_any', url: url.href });
  await updated;
  const send = (frame) =>
    session.sendAudio(frame.buffer.slice(frame.byteOffset, frame.byteOffset + frame.length));
  return { session, log, audio, send, calls };
}

const noErrors = (log) => assert.deepEqual(log.of('sdk.error').map((one) => one.event), []);

const transcripts = (session, role) =>
  session.history
    .filter((item) => item.type === 'message' && item.role === role)
    .map((item) => item.content.map((part) => part.transcript ?? part.text ?? '').join(' '));

await run({
  async 'audio in, audio out'() {
    const { session, log, audio, send } = await open({ instructions: 'Be brief.' });
    const done = log.next('response.done');
    await speak(send);
    assert.equal((await done).response.status, 'completed');
    const written = (event) =>
      event.type === 'sdk.history_updated' &&
      transcripts({ history: event.history }, 'user').some((text) => text.length > 0);
    if (!log.events.some(written)) await log.next(written, 'user transcript in history');
    assert.ok(Buffer.concat(audio).length > 4800);
    assert.equal(transcripts(session, 'user').length, 1);
    assert.ok(transcripts(session, 'assistant')[0].length > 0);
    assert.deepEqual(
      session.history.map((item) => item.role),
      ['user', 'assistant'],
    );
    noErrors(log);
    session.close();
  },

  async 'text turn'() {
    const { session, log } = await open();
    const done = log.next('response.done');
    session.sendMessage('Hello, what do you sell?');
    assert.equal((await done).response.status, 'completed');
    assert.deepEqual(transcripts(session, 'user'), ['Hello, what do you sell?']);
    assert.ok(transcripts(session, 'assistant')[0].length > 0);
    noErrors(log);
    session.close();
  },

  async 'tool call'() {
    const { session, log, calls } = await open({
      tools: true,
      session: { config: { toolChoice: 'auto' } },
    });
    const first = log.next('response.done');
    session.sendMessage('Please order a taxi to your shop, number 1001.');
    const { response } = await first;
    assert.equal(response.output.at(-1).type, 'function_call');
    const second = log.next('response.done');
    assert.equal((await second).response.status, 'completed');
    assert.equal(calls.length, 1, 'the tool ran once');
    assert.ok(transcripts(session, 'assistant').at(-1).length > 0);
    noErrors(log);
    session.close();
  },

  async 'interrupt by the application'() {
    const { session, log } = await open();
    const sounding = log.next('response.output_audio.delta');
    session.sendMessage('Tell me everything about your delivery and your returns.');
    await sounding;
    await new Promise((done) => setTimeout(done, 100));
    const done = log.next('response.done');
    const truncated = log.next('conversation.item.truncated');
    session.interrupt();
    assert.equal((await done).response.status, 'cancelled');
    await truncated;
    await log.next('conversation.item.retrieved');
    noErrors(log);
    // and the session goes on
    const again = log.next('response.done');
    session.sendMessage('Hello again.');
    assert.equal((await again).response.status, 'completed');
    session.close();
  },

  async 'interrupt by voice'() {
    const { session, log, send } = await open();
    const sounding = log.next('response.output_audio.delta');
    session.sendMessage('Tell me everything about your delivery and your returns.');
    await sounding;
    const cancelled = log.next(
      (event) => event.type === 'response.done' && event.response.status === 'cancelled',
      'cancelled response',
    );
    const interrupted = log.next('sdk.audio_interrupted');
    await speak(send, question);
    assert.equal((await cancelled).response.status_details.reason, 'turn_detected');
    await interrupted;
    const next = log.of('response.done').length > 1 ? log.of('response.done')[1] : null;
    const done = next ?? (await log.next('response.done'));
    assert.equal(done.response.status, 'completed');
    noErrors(log);
    session.close();
  },
});
