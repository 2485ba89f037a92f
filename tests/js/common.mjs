// What the scripts share: arguments, the user's question as audio, waiting with a deadline.
import { readFileSync } from 'node:fs';
import net from 'node:net';

const [, , base, questionFile, limit] = process.argv;

/** Base of the server, for example http://127.0.0.1:8080. */
export const server = new URL(base);
/** Everything must have happened after so many milliseconds. */
export const deadlineMs = Number(limit ?? 20000);
/** Raw PCM16 at 24 kHz: a question and the silence after it. */
export const question = readFileSync(questionFile);

const FRAME = 960; // 20 ms

/** Send audio frame by frame, at the speed it was spoken. */
export async function speak(send, audio = question) {
  const start = performance.now();
  for (let at = 0, frame = 0; at < audio.length; at += FRAME, frame += 1) {
    send(audio.subarray(at, at + FRAME));
    const wait = start + frame * 20 - performance.now();
    if (wait > 4) await new Promise((done) => setTimeout(done, wait));
  }
}

/** Remembers events and waits for the next of a kind. */
export class Log {
  events = [];
  #waiters = [];

  add(event) {
    this.events.push(event);
    this.#waiters = this.#waiters.filter((waiter) => !waiter(event));
  }

  types() {
    return this.events.map((event) => event.type);
  }

  of(type) {
    return this.events.filter((event) => event.type === type);
  }

  /** The next event that passes the test (a type, or a function). */
  next(test, what = String(test)) {
    const passes = typeof test === 'function' ? test : (event) => event.type === test;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`no ${what} after ${deadlineMs} ms; seen: ${this.types().join(' ')}`));
      }, deadlineMs);
      this.#waiters.push((event) => {
        if (!passes(event)) return false;
        clearTimeout(timer);
        resolve(event);
        return true;
      });
    });
  }
}

/** Run the named scenarios one after the other; the first failure ends the process with 1. */
export async function run(scenarios) {
  for (const [name, scenario] of Object.entries(scenarios)) {
    try {
      await scenario();
      console.log(`ok ${name}`);
    } catch (error) {
      console.log(`FAILED ${name}: ${error.stack}`);
      process.exit(1);
    }
  }
  process.exit(0);
}

/** The stock client insists on wss; the server under test has no certificate: a plain socket. */
export function plainSocket() {
  return net.connect({ host: server.hostname, port: Number(server.port) });
}
