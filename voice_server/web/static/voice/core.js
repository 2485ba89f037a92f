/**
 * The client's side of a conversation, without I/O: events and playback reports go in, the
 * conversation's entries and orders to the shell come out.  No socket, clock or DOM in here.
 *
 * Entries are what the log shows:
 *   user      {id, role: "user", text, final}
 *   assistant {id, role: "assistant", clauses: [{index, text, language, kind, startMs}], current,
 *              citations: [...], cards: [...], status: "active" | "completed" | "cancelled"}
 *
 * Orders (`kind`):
 *   entry {entry}            an entry is new or has changed
 *   gone {id}                an entry has no words after all
 *   flush                    stop playing at once and drop what waits
 *   sound {responseId, offsetMs, samples}   audio to play
 *   ended {responseId}       all audio of this reply has arrived
 *   card {card, responseId}  a product is being talked about right now
 *   session {resumed}        the session is open
 *   problem {code, message}  the server said `error`
 */

import { WIRE_RATE, parseBase64 } from "./pcm.js";

/** Protocol errors that are the normal outcome of a race and concern nobody. */
const HARMLESS = new Set(["response_cancel_not_active", "conversation_already_has_active_response"]);

/** Replies remembered: the one that sounds, the next, and some that late events may name. */
const REMEMBERED = 20;

export class Core {
  constructor() {
    this.extensions = new Set();
    this.session = null;
    this.token = null;
    this.tokenLifeMs = 0;
    this.lastEventId = null;
    this.streams = new Map();
    this.replies = new Map();
    this.users = new Map();
    /** The reply that sounds now or sounded last. */
    this.reply = null;
    this.heldReply = null;
    this.facts = { playing: false, held: false, awaiting: false, hearing: false };
    this.empty = true;
    /** Whether there is a player that will report what was heard. */
    this.audible = true;
  }

  /** A reply is being made by the server. */
  get unfinished() {
    return [...this.replies.values()].some(({ done }) => !done);
  }

  /** A reply is being made, or is made and waits in the player. */
  get responding() {
    return [...this.replies.values()].some(({ done, waiting }) => !done || waiting);
  }

  /** The query of `resume` (docs/realtime-extensions.md), or null before there is a token. */
  resumption() {
    if (!this.token) return null;
    const query = { resume: this.token };
    if (this.lastEventId) query.last_event_id = this.lastEventId;
    // Of the newest reply, which may not have begun to sound.
    const newest = [...this.replies.values()].at(-1);
    query.position_ms = String(Math.round(newest?.positionMs ?? 0));
    return query;
  }

  /** A new session on the server: what was said stays on screen, what was pending is over. */
  forget() {
    this.token = null;
    this.lastEventId = null;
    this.streams.clear();
    return this.#finishPending();
  }

  #finishPending() {
    const orders = [{ kind: "flush" }];
    for (const reply of this.replies.values()) {
      Object.assign(reply, { done: true, waiting: false });
      if (reply.entry.status === "active") orders.push(...this.#close(reply, "cancelled"));
    }
    for (const entry of this.users.values()) {
      if (!entry.final) orders.push(...this.#transcribed(entry.id, entry.text));
    }
    this.facts = { playing: false, held: false, awaiting: false, hearing: false };
    return orders;
  }

  /** @param {object} event one server event; @returns {object[]} orders */
  receive(event) {
    if (event.event_id) this.lastEventId = event.event_id;
    return Core.handlers[event.type]?.call(this, event) ?? [];
  }

  /** A binary audio frame, as `parseFrame` reads it. */
  frame({ stream, offsetMs, samples }) {
    const responseId = this.streams.get(stream);
    return responseId ? this.#sound(responseId, offsetMs, samples) : [];
  }

  #sound(responseId, offsetMs, samples) {
    const reply = this.replies.get(responseId);
    // Late audio of a reply that was interrupted, or is held, must not be heard.
    if (!reply || !this.audible || reply.entry.status === "cancelled" || this.heldReply === responseId) return [];
    reply.waiting = true;
    return [{ kind: "sound", responseId, offsetMs, samples }];
  }

  /** The client itself asked for a reply (typed text, press-to-talk, the greeting). */
  asked() {
    this.facts.awaiting = true;
    this.empty = false;
  }

  /** The user cuts the reply off by hand. @returns {object[]} orders */
  interrupted() {
    this.facts.awaiting = false;
    return this.#stop();
  }

  /** Text the user typed: shown at once, before the server confirms it. */
  typed(id, text) {
    const entry = { id, role: "user", text, final: true };
    this.users.set(id, entry);
    return [{ kind: "entry", entry }];
  }

  /**
   * The player's report.
   * @param {string} responseId the reply that sounds
   * @param {number} positionMs how much of it was heard
   * @param {boolean} idle it fell silent just now
   */
  played(responseId, positionMs, idle) {
    const reply = this.replies.get(responseId);
    if (!reply || reply.entry.status === "cancelled") return [];
    this.reply = reply;
    reply.positionMs = positionMs;
    reply.waiting = !idle;
    this.facts.playing = !idle;
    const over = idle && reply.audioDone;
    const orders = this.#reveal(reply, over ? Infinity : positionMs);
    if (over && reply.done) orders.push(...this.#close(reply, "completed"));
    return orders;
  }

  #replyOf(responseId, itemId) {
    let reply = this.replies.get(responseId);
    if (!reply) {
      const entry = {
        id: itemId ?? responseId, role: "assistant", clauses: [], current: -1, citations: [], cards: [],
        status: "active",
      };
      reply = {
        responseId, entry, pending: [], extras: [], positionMs: 0, receivedMs: 0,
        /** Audio that the player holds, so the end of the reply is for the player to tell. */
        waiting: false, audioDone: false, done: false,
      };
      this.replies.set(responseId, reply);
      if (this.replies.size > REMEMBERED) this.replies.delete(this.replies.keys().next().value);
    }
    if (itemId) reply.entry.id = itemId;
    return reply;
  }

  /** Show the clauses that have begun to sound, with what belongs to them. */
  #reveal(reply, positionMs) {
    const { entry } = reply;
    const due = reply.pending.filter((clause) => clause.startMs <= positionMs);
    reply.pending = reply.pending.filter((clause) => clause.startMs > positionMs);
    entry.clauses.push(...due);
    const last = entry.clauses.at(-1)?.index ?? -1;
    const orders = [];
    const extras = reply.extras.filter((extra) => extra.index <= last || positionMs === Infinity);
    reply.extras = reply.extras.filter((extra) => !extras.includes(extra));
    for (const { citations, cards } of extras) {
      addNew(entry.citations, citations, "source_id");
      for (const card of addNew(entry.cards, cards, "product_id")) {
        orders.push({ kind: "card", card, responseId: reply.responseId });
      }
    }
    if (due.length || extras.length || entry.current !== last) {
      entry.current = last;
      orders.unshift({ kind: "entry", entry });
    }
    return orders;
  }

  #close(reply, status) {
    const { entry } = reply;
    entry.status = status;
    entry.current = -1;
    reply.waiting = false;
    reply.pending = [];
    reply.extras = [];
    return entry.clauses.length || entry.cards.length ? [{ kind: "entry", entry }] : [];
  }

  #stop() {
    this.facts.playing = false;
    this.facts.held = false;
    this.heldReply = null;
    const orders = [{ kind: "flush" }];
    for (const reply of this.replies.values()) {
      Object.assign(reply, { done: true, waiting: false });
      if (reply.entry.status === "active") orders.push(...this.#close(reply, "cancelled"));
    }
    return orders;
  }

  #transcribed(id, text) {
    const entry = this.users.get(id) ?? { id, role: "user" };
    if (!text.trim()) {
      this.users.delete(id);
      return [{ kind: "gone", id }];
    }
    Object.assign(entry, { text: text.trim(), final: true });
    this.users.set(id, entry);
    return [{ kind: "entry", entry }];
  }

  #opened(event, resumed) {
    const extensions = event.voice_server?.extensions ?? event.session?.voice_server?.extensions;
    if (extensions) this.extensions = new Set(extensions);
    this.session = event.session?.id ?? this.session;
    return [{ kind: "session", resumed }];
  }

  #words(event, text) {
    // With captions the clauses come timed; without, the words are shown as they arrive.
    const reply = this.#replyOf(event.response_id, event.item_id);
    if (this.extensions.has("captions") && event.type.includes("audio")) return [];
    const { clauses } = reply.entry;
    if (!clauses.length) clauses.push({ index: 0, text: "", language: "", kind: "content", startMs: 0 });
    clauses[0].text += text;
    return [{ kind: "entry", entry: reply.entry }, ...this.#reveal(reply, Infinity)];
  }

  static handlers = {
    "session.created"(event) {
      return this.#opened(event, false);
    },
    "voice_server.resumed"(event) {
      const orders = this.#opened(event, true);
      if (event.restarted) {
        // Another process: what it had begun to say is over, what was said is remembered.
        this.streams.clear();
        return [{ kind: "flush" }, ...this.#finishPending(), ...orders];
      }
      const reply = this.replies.get(event.response_id);
      this.heldReply = null;
      Object.assign(this.facts, { playing: false, held: false });
      // The rest of this reply is on its way, whatever the events in between say of its end.
      if (reply) Object.assign(reply, { audioDone: false, waiting: true });
      // What was buffered here is sent again from offset_ms: two copies must not sound.
      return [{ kind: "flush" }, ...orders];
    },
    "voice_server.resume_token"(event) {
      this.token = event.token;
      this.tokenLifeMs = event.expires_in_s * 1000;
    },
    error({ error }) {
      if (HARMLESS.has(error.code)) return [];
      this.facts.awaiting = false;
      return [{ kind: "problem", code: error.code ?? error.type, message: error.message }];
    },
    "input_audio_buffer.speech_started"(event) {
      Object.assign(this.facts, { hearing: true, awaiting: false });
      this.empty = false;
      if (!this.users.has(event.item_id)) {
        this.users.set(event.item_id, { id: event.item_id, role: "user", text: "", final: false });
      }
      return [...this.#stop(), { kind: "entry", entry: this.users.get(event.item_id) }];
    },
    "input_audio_buffer.speech_stopped"() {
      this.facts.hearing = false;
    },
    "input_audio_buffer.committed"(event) {
      Object.assign(this.facts, { hearing: false, awaiting: true });
      this.empty = false;
      if (this.users.has(event.item_id)) return [];
      const entry = { id: event.item_id, role: "user", text: "", final: false };
      this.users.set(event.item_id, entry);
      return [{ kind: "entry", entry }];
    },
    "conversation.item.input_audio_transcription.delta"(event) {
      const entry = this.users.get(event.item_id) ?? { id: event.item_id, role: "user", text: "" };
      if (entry.final) return [];
      entry.text += event.delta ?? "";
      entry.final = false;
      this.users.set(event.item_id, entry);
      return [{ kind: "entry", entry }];
    },
    "conversation.item.input_audio_transcription.completed"(event) {
      if (!event.transcript.trim()) this.facts.awaiting = false;
      return this.#transcribed(event.item_id, event.transcript);
    },
    "conversation.item.input_audio_transcription.failed"(event) {
      return this.#transcribed(event.item_id, this.users.get(event.item_id)?.text ?? "");
    },
    "response.created"(event) {
      this.facts.awaiting = false;
      const orders = [];
      for (const reply of this.replies.values()) {
        if (reply.done && reply.entry.status === "active") {
          orders.push(...this.#reveal(reply, Infinity), ...this.#close(reply, "completed"));
        }
      }
      this.#replyOf(event.response.id);
      return orders;
    },
    "response.output_item.added"(event) {
      if (event.item.type === "message") this.#replyOf(event.response_id, event.item.id);
    },
    "voice_server.audio_stream"(event) {
      this.streams.set(event.stream, event.response_id);
      this.#replyOf(event.response_id, event.item_id);
    },
    "response.output_audio.delta"(event) {
      const reply = this.#replyOf(event.response_id, event.item_id);
      const samples = parseBase64(event.delta);
      const orders = this.#sound(event.response_id, reply.receivedMs, samples);
      reply.receivedMs += (samples.length * 1000) / WIRE_RATE;
      return orders;
    },
    "response.output_audio.done"(event) {
      this.#replyOf(event.response_id).audioDone = true;
      return [{ kind: "ended", responseId: event.response_id }];
    },
    "response.output_audio_transcript.delta"(event) {
      return this.#words(event, event.delta);
    },
    "response.output_text.delta"(event) {
      return this.#words(event, event.delta);
    },
    "voice_server.caption"(event) {
      const reply = this.#replyOf(event.response_id, event.item_id);
      const { index, text, language, kind, start_ms: startMs } = event;
      const known = [...reply.entry.clauses, ...reply.pending].some((clause) => clause.index === index);
      if (!known) reply.pending.push({ index, text, language, kind, startMs });
    },
    "voice_server.citations"(event) {
      const reply = this.#replyOf(event.response_id, event.item_id);
      const { index, citations = [], cards = [] } = event;
      reply.extras.push({ index, citations, cards });
      return this.extensions.has("captions") ? [] : this.#reveal(reply, Infinity);
    },
    "voice_server.output.paused"(event) {
      this.heldReply = event.response_id;
      Object.assign(this.facts, { held: true, playing: false });
      return [{ kind: "flush" }];
    },
    "voice_server.output.resumed"() {
      this.heldReply = null;
      this.facts.held = false;
    },
    "conversation.item.truncated"(event) {
      const reply = [...this.replies.values()].find(({ entry }) => entry.id === event.item_id);
      if (!reply) return [];
      const { entry } = reply;
      entry.clauses = entry.clauses.filter(({ startMs }) => startMs < event.audio_end_ms);
      entry.status = "cancelled";
      return entry.clauses.length ? [{ kind: "entry", entry }] : [{ kind: "gone", id: entry.id }];
    },
    "response.done"({ response }) {
      const reply = this.#replyOf(response.id);
      reply.done = true;
      if (this.heldReply === response.id) {
        this.heldReply = null;
        this.facts.held = false;
      }
      if (response.status === "cancelled") {
        const mine = !this.reply || this.reply === reply;
        if (mine) this.facts.playing = false;
        return [...(mine ? [{ kind: "flush" }] : []), ...this.#close(reply, "cancelled")];
      }
      reply.audioDone = true;
      const orders = [{ kind: "ended", responseId: response.id }];
      if (response.status === "failed") {
        const error = response.status_details?.error;
        orders.push({ kind: "problem", code: error?.code ?? "failed", message: error?.message ?? "" });
      }
      if (!reply.waiting) {
        orders.push(...this.#reveal(reply, Infinity), ...this.#close(reply, "completed"));
      }
      return orders;
    },
  };
}

/** Append those of `more` that `list` does not hold yet; return them. */
function addNew(list, more, key) {
  const before = list.length;
  for (const item of more) {
    if (!list.some((other) => other[key] === item[key])) list.push(item);
  }
  return list.slice(before);
}
