/**
 * The rig of an avatar: its parameters, and how poses (visemes, moods, gestures) become parameters.
 * Pure functions over plain objects; nothing here draws or reads a clock.
 */

export const VISEMES = ["sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "I", "O", "U"];

/** Mouth parameters, what they mean, and their range. */
export const MOUTH = ["open", "width", "round", "press", "bite", "tongue", "teeth"];

/** Face and body parameters with the value of a calm face. */
export const REST = Object.freeze({
  open: 0, width: 0, round: 0, press: 0, bite: 0, tongue: 0, teeth: 0,
  smile: 0.25, browRaise: 0, browTilt: 0, browSkew: 0, lids: 1, squint: 0, cheek: 0.2, grin: 0, parted: 0,
  gazeX: 0, gazeY: 0, yaw: 0, pitch: 0, roll: 0, lean: 0, breath: 0, lift: 0, bob: 0,
});

/** Refuse a rig that the renderer cannot draw; returns it with its defaults filled in. */
export function checkRig(rig) {
  if (rig?.format !== 1) throw new Error("rig.json: this renderer reads format 1");
  for (const name of VISEMES) {
    if (!rig.visemes?.[name]) throw new Error(`rig.json: viseme ${name} is missing`);
  }
  for (const part of ["skin", "hair", "eyes", "outfit", "lips"]) {
    if (!rig.palette?.[part]) throw new Error(`rig.json: palette.${part} is missing`);
  }
  if (!rig.moods?.neutral) throw new Error("rig.json: the mood neutral is missing");
  return { gestures: {}, face: {}, layers: [], ...rig };
}

/** Between two numbers. */
export const mix = (from, to, share) => from + (to - from) * share;

/** 0 → 1 with a soft start and a soft end. */
export const ease = (x) => {
  const t = Math.min(Math.max(x, 0), 1);
  return t * t * (3 - 2 * t);
};

/** Follow a target: `halfLife` seconds until half of the way is done, whatever the frame rate. */
export const follow = (value, target, seconds, halfLife) =>
  mix(target, value, Math.pow(2, -seconds / halfLife));

/** A mood's parameters over the calm face. */
export function moodOf(rig, name) {
  return { ...REST, ...rig.moods.neutral, ...(rig.moods[name] ?? {}) };
}
