/** A run-sheet being edited: its table, what was changed, and the way back. No DOM. */

const MOST_STEPS = 100;

export class SheetModel {
  constructor(table) {
    this.load(table);
  }

  load(table) {
    this.table = structuredClone(table);
    this.table.segment ??= [];
    this.kept = JSON.stringify(this.table);
    this.past = [];
    this.future = [];
    this.#name();
  }

  /** Segments keep an id of their own, so that the one on air is known after a move. */
  #name() {
    const used = new Set(this.table.segment.map(({ id }) => id).filter(Boolean));
    this.table.segment.forEach((segment, at) => {
      if (segment.id) return;
      const stem = segment.product && /^[a-z0-9][a-z0-9_-]{0,30}$/.test(segment.product) ? `${at + 1}-${segment.product}` : `${at + 1}`;
      let id = stem;
      for (let n = 2; used.has(id); n += 1) id = `${stem}-${n}`;
      used.add(id);
      segment.id = id;
    });
    if (!this.past?.length) this.kept = JSON.stringify(this.table);
  }

  get changed() {
    return JSON.stringify(this.table) !== this.kept;
  }

  saved(table) {
    this.kept = JSON.stringify(this.table);
    if (JSON.stringify(table) !== this.kept) this.load(table);
  }

  /** Change the table by a function; the state before it can be had back. */
  change(act) {
    const before = JSON.stringify(this.table);
    act(this.table);
    if (JSON.stringify(this.table) === before) return;
    this.past.push(before);
    if (this.past.length > MOST_STEPS) this.past.shift();
    this.future = [];
    this.#name();
  }

  undo() {
    this.#step(this.past, this.future);
  }

  redo() {
    this.#step(this.future, this.past);
  }

  #step(from, to) {
    if (!from.length) return;
    to.push(JSON.stringify(this.table));
    this.table = JSON.parse(from.pop());
  }

  move(from, to) {
    if (to < 0 || to >= this.table.segment.length || from === to) return;
    this.change(({ segment }) => segment.splice(to, 0, ...segment.splice(from, 1)));
  }

  /** Where each segment starts, and the whole length, in seconds. */
  times() {
    let at = 0;
    const starts = this.table.segment.map((segment) => {
      const start = at;
      at += duration(segment);
      return start;
    });
    return { starts, total: at };
  }
}

export const duration = (segment) => {
  const value = segment.duration_s ?? 90;
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
};
