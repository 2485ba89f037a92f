/**
 * Mouth shapes over time, from the visemes of the speech, with coarticulation: neighbours blend,
 * closed lips stay closed. Times are seconds on the audio clock.
 */

import { MOUTH } from "./rig.js";

/** A shape begins to show before its sound (Cohen and Massaro's dominance; TalkingHead: 40-60 ms). */
const LEAD_S = 0.05;
const TAIL_S = 0.06;
/** Shapes that must be reached entirely, or they are not seen. */
const SEALED = new Set(["PP", "FF"]);
const KEPT_S = 1;

export class VisemeTimeline {
  /** `visemes`: a table of mouth parameters by name of the shape; `names`: of those parameters. */
  constructor(visemes, names = MOUTH) {
    this.shapes = visemes;
    this.names = names;
    this.cues = [];
  }

  /** Add mouth shapes: `[name, startMs, endMs, weight]` counted from `at` seconds. */
  add(cues, at) {
    for (const [name, start, end, weight = 1] of cues) {
      const shape = this.shapes[name];
      if (shape && end > start) {
        this.cues.push({ name, shape, start: at + start / 1000, end: at + end / 1000, weight });
      }
    }
  }

  /** Forget everything: an interruption shuts the mouth with the sound, in the next frame. */
  cut() {
    this.cues = [];
  }

  /** Mouth parameters at `time`. */
  at(time) {
    this.cues = this.cues.filter((cue) => cue.end + KEPT_S > time);
    const found = Object.fromEntries(this.names.map((name) => [name, 0]));
    let total = 0;
    let sealed = null;
    for (const cue of this.cues) {
      const share = dominance(cue, time);
      if (share <= 0) continue;
      if (SEALED.has(cue.name) && time >= cue.start && time <= cue.end) sealed = cue;
      total += share;
      for (const name of this.names) found[name] += share * cue.weight * (cue.shape[name] ?? 0);
    }
    if (total > 0) for (const name of this.names) found[name] /= Math.max(total, 1);
    if (sealed) {
      // In the middle of a closure nothing of the neighbours is left.
      const length = sealed.end - sealed.start;
      const edge = Math.min(0.02, length / 3);
      const inside = Math.min((time - sealed.start) / edge, (sealed.end - time) / edge, 1);
      for (const name of this.names) {
        const goal = sealed.shape[name] ?? 0;
        found[name] += (goal - found[name]) * inside;
      }
    }
    return found;
  }

  /** Whether any shape other than silence is due at `time`. */
  speaking(time) {
    return this.cues.some((cue) => cue.name !== "sil" && cue.start - LEAD_S <= time && time <= cue.end);
  }
}

/** How much a shape shows: rises before its sound, falls after it, full inside. */
function dominance(cue, time) {
  if (time < cue.start) return Math.max(0, 1 - (cue.start - time) / LEAD_S);
  if (time > cue.end) return Math.max(0, 1 - (time - cue.end) / TAIL_S);
  return 1;
}
