// The stock `openai` client against a running server.
import assert from 'node:assert/strict';
import OpenAI from 'openai';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import { Log, plainSocket, question, run, server, speak } from './common.mjs';

const client = new OpenAI({ apiKey: 'any', baseURL: new URL('/v1', server).href, maxRetries: 0 });

async function open(target = { model: 'gpt-realtime' }) {
  const socket = new OpenAIRealtimeWS(
    { ...target, options: { createConnection: plainSocket } },
    client,
  );
  const log = new Log();
  const created = log.next('session.created');
  socket.on('event', (event) => log.add(event));
  socket.on('error', () => {}); // errors are events too, and looked at there
  log.session = (await created).session;
  return { socket, log, send: (event) => socket.send(event) };
}

const append = (send) => (frame) =>
  send({ type: 'input_audio_buffer.append', audio: frame.toString('base64') });

const ask = (text) => ({
  type: 'conversation.item.create',
  item: { type: 'message', role: 'user', content: [{ type: 'input_text', text }] },
});

const tool = {
  type: 'function',
  name: 'order_taxi',
  description: 'Orders a taxi under a number.',
  parameters: {
    type: 'object',
    properties: { order_number: { type: 'string' } },
    required: ['order_number'],
  },
};

await run({
  async 'audio in, audio out'() {
    const { socket, log, send } = await open();
    assert.equal(log.session.type, 'realtime');
    const updated = log.next('session.updated');
    send({
      type: 'session.update',
      session: { type: 'realtime', audio: { input: { transcription: { model: 'whisper-1' } } } },
    });
    assert.equal((await updated).session.audio.input.turn_detection.interrupt_response, true);
    const understood = log.next('conversation.item.input_audio_transcription.completed');
    const done = log.next('response.done');
    await speak(append(send));
    assert.ok((await understood).transcript.length > 0);
    const { response } = await done;
    assert.equal(response.status, 'completed');
    const bytes = log
      .of('response.output_audio.delta')
      .reduce((sum, event) => sum + Buffer.from(event.delta, 'base64').length, 0);
    assert.ok(bytes > 4800, `${bytes} bytes of speech`);
    const order = [
      'input_audio_buffer.speech_started',
      'input_audio_buffer.speech_stopped',
      'input_audio_buffer.committed',
      'response.created',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_audio.delta',
      'response.output_audio.done',
      'response.done',
    ].map((type) => log.types().indexOf(type));
    assert.deepEqual(order, [...order].sort((a, b) => a - b));
    socket.close();
  },

  async 'text turn'() {
    const { socket, log, send } = await open();
    send({ type: 'session.update', session: { type: 'realtime', output_modalities: ['text'] } });
    const done = log.next('response.done');
    send(ask('Hello, what do you sell?'));
    send({ type: 'response.create', response: { metadata: { turn: '1' } } });
    const { response } = await done;
    assert.equal(response.status, 'completed');
    assert.deepEqual(response.metadata, { turn: '1' });
    const text = log.of('response.output_text.delta').map((event) => event.delta).join('');
    assert.equal(text, log.of('response.output_text.done')[0].text);
    assert.equal(response.output[0].content[0].text, text);
    assert.ok(text.length > 0);
    socket.close();
  },

  async 'tool call'() {
    const { socket, log, send } = await open();
    send({
      type: 'session.update',
      session: { type: 'realtime', output_modalities: ['text'], tools: [tool] },
    });
    const called = log.next('response.function_call_arguments.done');
    const first = log.next('response.done');
    send(ask('Please order a taxi to your shop, number 1001.'));
    send({
      type: 'response.create',
      response: { tool_choice: { type: 'function', name: 'order_taxi' } },
    });
    const call = await called;
    assert.equal(call.name, 'order_taxi');
    assert.ok(JSON.parse(call.arguments));
    await first;
    const second = log.next('response.done');
    const output = JSON.stringify({ status: 'on its way' });
    send({
      type: 'conversation.item.create',
      item: { type: 'function_call_output', call_id: call.call_id, output },
    });
    send({ type: 'response.create' });
    const { response } = await second;
    assert.equal(response.status, 'completed');
    assert.ok(response.output[0].content[0].text.length > 0);
    socket.close();
  },

  async 'interrupt and truncate'() {
    const { socket, log, send } = await open();
    const sounding = log.next('response.output_audio.delta');
    send(ask('Tell me everything about your delivery and your returns.'));
    send({ type: 'response.create' });
    const { item_id: itemId } = await sounding;
    const done = log.next('response.done');
    send({ type: 'response.cancel' });
    const { response } = await done;
    assert.equal(response.status, 'cancelled');
    assert.equal(response.status_details.reason, 'client_cancelled');
    const after = log.events.length;
    const truncated = log.next('conversation.item.truncated');
    send({
      type: 'conversation.item.truncate',
      item_id: itemId,
      content_index: 0,
      audio_end_ms: 20,
    });
    assert.equal((await truncated).item_id, itemId);
    const retrieved = log.next('conversation.item.retrieved');
    send({ type: 'conversation.item.retrieve', item_id: itemId });
    const { item } = await retrieved;
    assert.equal(item.status, 'incomplete');
    assert.equal(item.content[0].transcript, '');
    assert.ok(!log.types().slice(after).includes('response.output_audio.delta'));
    socket.close();
  },

  async 'transcription session'() {
    const { socket, log, send } = await open({ intent: 'transcription' });
    assert.equal(log.session.type, 'transcription');
    const understood = log.next('conversation.item.input_audio_transcription.completed');
    await speak(append(send));
    assert.ok((await understood).transcript.length > 0);
    assert.ok(!log.types().includes('response.created'));
    socket.close();
  },

  async 'errors name their event'() {
    const { socket, log, send } = await open();
    const failed = log.next('error');
    send({ type: 'conversation.item.retrieve', item_id: 'item_nobody', event_id: 'mine_7' });
    const { error } = await failed;
    assert.equal(error.code, 'item_retrieve_invalid_item_id');
    assert.equal(error.event_id, 'mine_7');
    socket.close();
  },

  async 'HTTP routes'() {
    const speech = await client.audio.speech.create({
      model: 'tts-1',
      voice: 'alloy',
      input: 'Hello from the shop.',
      response_format: 'wav',
    });
    const wav = Buffer.from(await speech.arrayBuffer());
    assert.equal(wav.subarray(0, 4).toString(), 'RIFF');
    assert.ok(wav.length > 4800);
    const header = Buffer.from(wav.subarray(0, 44));
    header.writeUInt32LE(question.length + 36, 4);
    header.writeUInt32LE(question.length, 40);
    const file = new File([header, question], 'question.wav');
    const heard = await client.audio.transcriptions.create({ model: 'whisper-1', file });
    assert.equal(typeof heard.text, 'string');
    const secret = await client.realtime.clientSecrets.create({ session: { type: 'realtime' } });
    assert.ok(secret.value.startsWith('ek_'));
    assert.ok((await client.models.list()).data.length > 0);
  },
});
