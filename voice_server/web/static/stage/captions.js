/**
 * Captions at the pace of speech: a long sentence is cut into cues of two lines, and each is shown
 * while its words are spoken. The server's WebVTT cuts in the same way (`live/captions.py`).
 */

/** Two lines of 42 characters. */
const CUE = 84;
const SHORT = 0.6;
/** Characters a cue may be longer than its share: words are not cut. */
const SLACK = 10;
/** Before the length of a sentence is known: what a letter takes to say. */
const LETTER_S = 0.062;

export function cues(text) {
  const found = [];
  // Cues of about the same length: no last word stands alone.
  const many = Math.ceil(text.length / CUE);
  const most = many > 1 ? Math.min(CUE, Math.ceil(text.length / many) + SLACK) : CUE;
  let cue = "";
  for (const word of text.split(/\s+/).filter(Boolean)) {
    let joined = cue ? `${cue} ${word}` : word;
    if (cue && joined.length > most) {
      found.push(cue);
      joined = word;
    }
    cue = joined;
    if (/[,;:]$/.test(cue) && cue.length >= SHORT * most && text.length > CUE) {
      found.push(cue);
      cue = "";
    }
  }
  if (cue) found.push(cue);
  return found;
}

/** Which cue of a sentence is being said when `share` (0 to 1) of it was. */
export function cueAt(parts, share) {
  const letters = parts.reduce((sum, part) => sum + part.length, 0);
  let passed = 0;
  for (let at = 0; at < parts.length; at += 1) {
    passed += parts[at].length;
    if (share * letters < passed) return at;
  }
  return parts.length - 1;
}

/** Follows one line: what of it was said. Times are those of the audio clock, in seconds. */
export class Pace {
  begin(text, now, seconds = 0) {
    this.estimate = seconds || text.length * LETTER_S;
    this.began = now;
    this.heard = 0;
    this.whole = seconds > 0;
  }

  /** A piece of speech was scheduled: the line began at `began`, its sound reaches to `until`. */
  sound(began, until) {
    this.began = began;
    this.heard = Math.max(this.heard, until - began);
  }

  /** All sound of the line is there. */
  complete() {
    if (this.heard) this.whole = true;
  }

  share(now) {
    const length = this.whole && this.heard ? this.heard : Math.max(this.estimate, this.heard);
    return length > 0 ? Math.min(1, Math.max(0, (now - this.began) / length)) : 1;
  }
}
