/**
 * Hands, drawn with the wrist at the origin and the fingers upwards (-y), about 120 units long.
 * The thumb is on the right; the painter mirrors it for the other hand.
 */

const finger = (x, y, length, angle, width = 21) => ({ x, y, length, angle, width });

/** Fingers of each shape: where they grow from the palm, how long they show, which way they go. */
export const HANDS = {
  relaxed: { palm: [46, 58], fingers: [finger(-22, -62, 34, -0.16), finger(-7, -68, 42, -0.05), finger(9, -66, 40, 0.06), finger(23, -58, 32, 0.18)], thumb: finger(24, -26, 40, 0.72, 22) },
  open: { palm: [48, 60], fingers: [finger(-23, -60, 46, -0.34), finger(-8, -68, 58, -0.11), finger(9, -68, 58, 0.08), finger(24, -60, 48, 0.3)], thumb: finger(26, -26, 50, 1.0, 23) },
  point: { palm: [46, 54], fingers: [finger(22, -56, 66, 0.04), finger(6, -52, 12, 0), finger(-8, -50, 11, 0), finger(-22, -48, 9, 0)], thumb: finger(10, -30, 34, -0.7, 21), fist: true },
  fist: { palm: [48, 52], fingers: [finger(22, -46, 12, 0), finger(7, -50, 12, 0), finger(-8, -50, 11, 0), finger(-22, -46, 9, 0)], thumb: finger(12, -28, 34, -0.75, 22), fist: true },
  thumb: { palm: [50, 50], fingers: [finger(22, -38, 14, 0.1), finger(7, -42, 14, 0), finger(-8, -42, 12, 0), finger(-22, -38, 10, 0)], thumb: finger(20, -40, 62, 0.22, 24), fist: true },
  two: { palm: [46, 54], fingers: [finger(20, -56, 66, 0.2), finger(3, -60, 70, -0.1), finger(-10, -48, 11, 0), finger(-22, -46, 9, 0)], thumb: finger(6, -30, 36, -0.8, 21), fist: true },
  flat: { palm: [46, 60], fingers: [finger(-22, -62, 46, -0.05), finger(-7, -68, 54, -0.02), finger(8, -68, 54, 0.02), finger(22, -62, 46, 0.05)], thumb: finger(26, -30, 44, 0.55, 22) },
  hold: { palm: [44, 56], fingers: [finger(-20, -50, 18, 0), finger(-6, -54, 20, 0), finger(8, -54, 20, 0), finger(21, -50, 18, 0)], thumb: finger(24, -34, 46, 0.3, 23), fist: true },
};

export function drawHand(ctx, rig, shape) {
  const hand = HANDS[shape] ?? HANDS.relaxed;
  const { skin, nails } = rig.palette;
  const scale = rig.body?.hand ?? 1.12;
  ctx.save();
  ctx.scale(scale, scale);
  const tone = ctx.createLinearGradient(-30, -100, 34, 10);
  tone.addColorStop(0, skin.light);
  tone.addColorStop(1, skin.base);
  const outline = skin.shade;
  const stroke = (f, width, colour) => {
    ctx.strokeStyle = colour;
    ctx.lineWidth = width;
    ctx.beginPath();
    ctx.moveTo(f.x, f.y);
    const tip = tipOf(f);
    ctx.quadraticCurveTo(f.x + (tip.x - f.x) * 0.4, f.y + (tip.y - f.y) * 0.6, tip.x, tip.y);
    ctx.stroke();
  };
  const palm = (grow) => {
    const [w, h] = hand.palm;
    ctx.beginPath();
    ctx.moveTo(-20 - grow, 8);
    ctx.bezierCurveTo(-w * 0.74 - grow, -14, -w * 0.84 - grow, -h * 0.8, -w * 0.66 - grow, -h - 8 - grow);
    ctx.quadraticCurveTo(0, -h - 24 - grow, w * 0.68 + grow, -h - 6 - grow);
    ctx.bezierCurveTo(w * 0.86 + grow, -h * 0.7, w * 0.7 + grow, -14, 20 + grow, 8);
    ctx.closePath();
  };
  // First everything a little larger in the shade of the skin: that is the outline.
  for (const f of hand.fingers) stroke(f, f.width + 5, outline);
  ctx.fillStyle = outline;
  palm(2.5);
  ctx.fill();
  for (const f of hand.fingers) {
    stroke(f, f.width, tone);
    if (f.length > 26) nail(ctx, f, nails ?? skin.light);
  }
  ctx.fillStyle = tone;
  palm(0);
  ctx.fill();
  // Gaps between fingers reach into the palm a little.
  ctx.strokeStyle = outline;
  ctx.lineWidth = 3;
  ctx.globalAlpha = 0.7;
  for (let at = 0; at < 3; at += 1) {
    const a = hand.fingers[at];
    const b = hand.fingers[at + 1];
    const x = (a.x + b.x) / 2;
    const y = (a.y + b.y) / 2;
    ctx.beginPath();
    ctx.moveTo(x, y - (hand.fist ? 16 : 2));
    ctx.lineTo(x * 0.92, y + (hand.fist ? 16 : 10));
    ctx.stroke();
  }
  ctx.globalAlpha = 1;
  stroke(hand.thumb, hand.thumb.width + 5, outline);
  stroke(hand.thumb, hand.thumb.width, tone);
  nail(ctx, hand.thumb, nails ?? skin.light);
  ctx.restore();
}

const tipOf = (f) => ({ x: f.x + Math.sin(f.angle) * f.length, y: f.y - Math.cos(f.angle) * f.length });

function nail(ctx, f, colour) {
  const tip = tipOf(f);
  ctx.save();
  ctx.translate(tip.x, tip.y);
  ctx.rotate(f.angle);
  ctx.fillStyle = colour;
  ctx.globalAlpha = 0.85;
  ctx.beginPath();
  ctx.ellipse(0, -2, f.width * 0.26, f.width * 0.36, 0, 0, Math.PI * 2);
  ctx.fill();
  ctx.restore();
}
