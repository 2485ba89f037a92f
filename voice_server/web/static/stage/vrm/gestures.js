/**
 * The ten gestures for humanoid bones, as rotations in radians of VRM's normalised bones (T-pose,
 * the model looks along +z, its right arm along -x). `r`/`l`: upper arm [x, y, z], lower arm [x, y, z].
 */

/** Arms that hang, a little off the body. */
export const REST = { r: [[0, 0, 1.22], [0, 0, 0.12]], l: [[0, 0, -1.22], [0, 0, -0.12]] };

const right = (upper, lower) => ({ r: [upper, lower] });
const both = (upper, lower) => ({ r: [upper, lower], l: [[upper[0], -upper[1], -upper[2]], [lower[0], -lower[1], -lower[2]]] });

/** Each: its pose, and what swings meanwhile (bone of `r`, axis, amplitude, times a second). */
export const GESTURES = {
  wave: { ...right([0, 0.2, 0.5], [0, 0, -2.0]), swing: { bone: 1, axis: 2, by: 0.25, hz: 2 } },
  point_card: right([0, -0.2, 0.35], [0, 0, -0.25]),
  hold_product: both([0, -0.5, 1.1], [0, -1.5, 0]),
  count_two: right([0, -0.3, 0.95], [0, 0, -2.2]),
  open_hands: both([0, -0.2, 1.0], [0, -0.7, -0.5]),
  thumbs_up: right([0, -0.5, 1.05], [0, -1.0, -0.8]),
  shrug: both([0, 0, 1.05], [0, -0.6, -0.9]),
  clap: { ...both([0, -0.6, 1.0], [0, -1.75, 0]), swing: { bone: 1, axis: 1, by: 0.14, hz: 2.6 } },
  think: right([0, -0.6, 1.05], [0, -1.2, -1.9]),
};
