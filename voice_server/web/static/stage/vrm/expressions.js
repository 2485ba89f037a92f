/**
 * From our fifteen mouth shapes and nine moods to what a model can show: its own `viseme_*` shapes,
 * the 52 of ARKit, or the five mouths and six faces of VRM. Numbers are ours; VRM's mouths are
 * capped as its models are drawn to be used. Pure: names and numbers in, names and numbers out.
 */

/** VRM: five vowels; consonants are what is nearest to them. Without an entry the mouth is shut. */
const VRM_MOUTH = {
  FF: { ih: 0.25 }, TH: { aa: 0.15, ih: 0.2 }, DD: { ih: 0.35 }, nn: { ih: 0.35 }, kk: { aa: 0.3 },
  CH: { ou: 0.45 }, SS: { ih: 0.45, ee: 0.2 }, RR: { ou: 0.3, oh: 0.2 },
  aa: { aa: 1 }, E: { ee: 1 }, I: { ih: 1 }, O: { oh: 1 }, U: { ou: 1 },
};
const VRM_CAP = 0.8;

const ARKIT_MOUTH = {
  PP: { mouthClose: 0.1, mouthPressLeft: 0.6, mouthPressRight: 0.6 },
  FF: { mouthRollLower: 0.7, mouthUpperUpLeft: 0.25, mouthUpperUpRight: 0.25, jawOpen: 0.05 },
  TH: { jawOpen: 0.16, tongueOut: 0.4 }, DD: { jawOpen: 0.14, mouthUpperUpLeft: 0.2, mouthUpperUpRight: 0.2 },
  kk: { jawOpen: 0.24 }, CH: { jawOpen: 0.12, mouthFunnel: 0.6 },
  SS: { jawOpen: 0.05, mouthStretchLeft: 0.4, mouthStretchRight: 0.4, mouthLowerDownLeft: 0.3, mouthLowerDownRight: 0.3 },
  nn: { jawOpen: 0.12, tongueOut: 0.05 }, RR: { jawOpen: 0.14, mouthFunnel: 0.4 },
  aa: { jawOpen: 0.62 }, E: { jawOpen: 0.32, mouthStretchLeft: 0.35, mouthStretchRight: 0.35 },
  I: { jawOpen: 0.14, mouthStretchLeft: 0.6, mouthStretchRight: 0.6 }, O: { jawOpen: 0.36, mouthFunnel: 0.6 },
  U: { jawOpen: 0.14, mouthPucker: 0.85 },
};

const VRM_MOODS = {
  neutral: { relaxed: 0.2 }, happy: { happy: 0.6 }, joyful: { happy: 1 }, excited: { happy: 0.75, surprised: 0.25 },
  attentive: { relaxed: 0.35 }, surprised: { surprised: 0.8 }, sorry: { sad: 0.65 }, serious: { angry: 0.15 },
  grateful: { happy: 0.5, relaxed: 0.4 },
};
const smile = (amount) => ({ mouthSmileLeft: amount, mouthSmileRight: amount, cheekSquintLeft: amount * 0.5, cheekSquintRight: amount * 0.5 });
const ARKIT_MOODS = {
  neutral: smile(0.15), happy: smile(0.55), joyful: { ...smile(0.85), eyeSquintLeft: 0.3, eyeSquintRight: 0.3 },
  excited: { ...smile(0.7), browInnerUp: 0.5, eyeWideLeft: 0.3, eyeWideRight: 0.3 }, attentive: { ...smile(0.2), browOuterUpLeft: 0.4 },
  surprised: { browInnerUp: 0.8, eyeWideLeft: 0.6, eyeWideRight: 0.6 }, sorry: { browInnerUp: 0.8, mouthFrownLeft: 0.4, mouthFrownRight: 0.4 },
  serious: { browDownLeft: 0.35, browDownRight: 0.35 }, grateful: { ...smile(0.6), browInnerUp: 0.3 },
};

/** What a model with these shape names can be driven by: "viseme", "arkit" or "vrm". */
export function kindOf(names) {
  const has = new Set(names);
  if (["viseme_aa", "viseme_PP", "viseme_O"].every((name) => has.has(name))) return "viseme";
  if (["jawOpen", "mouthFunnel", "mouthPucker"].every((name) => has.has(name))) return "arkit";
  return "vrm";
}

/** Weights by shape name: `visemes` and `moods` by our names with weights 0-1, `blink` 0-1. */
export function weights(kind, visemes, moods, blink) {
  const found = {};
  const put = (table, scale) => {
    for (const [name, value] of Object.entries(table ?? {})) found[name] = Math.min(1, (found[name] ?? 0) + value * scale);
  };
  const speaking = Object.entries(visemes).reduce((sum, [name, w]) => sum + (name === "sil" ? 0 : w), 0);
  for (const [name, weight] of Object.entries(visemes)) {
    if (kind === "viseme") put({ [`viseme_${name}`]: 1 }, weight);
    else if (kind === "arkit") put(ARKIT_MOUTH[name], weight);
    else put(VRM_MOUTH[name], weight * VRM_CAP);
  }
  // A smile gives way to the shapes of speech: models add both up, and mouths would burst.
  for (const [name, weight] of Object.entries(moods)) put((kind === "vrm" ? VRM_MOODS : ARKIT_MOODS)[name], weight * (1 - 0.6 * Math.min(1, speaking)));
  if (kind === "arkit") put({ eyeBlinkLeft: 1, eyeBlinkRight: 1 }, blink);
  else put({ blink: 1 }, blink);
  return found;
}
