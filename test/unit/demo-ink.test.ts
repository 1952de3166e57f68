import { beforeAll, describe, expect, it } from 'vitest';
import { PIXELS, SIDE, splitDigits, toFloats, type Digits } from '../../demo/training/digits.ts';
import { readDigits } from '../../demo/cli/digits-node.ts';
import { centreOfMass, rasterise, type Stroke } from '../../demo/views/train/panels/ink.ts';

const line = (...points: [number, number][]): Stroke => points.map(([x, y]) => ({ x, y }));
const circle = (x: number, y: number, radius: number): Stroke =>
  Array.from({ length: 41 }, (_, i) => ({
    x: x + radius * Math.cos((i / 20) * Math.PI),
    y: y + radius * Math.sin((i / 20) * Math.PI),
  }));
const seven = [line([0.2, 0.2], [0.6, 0.2], [0.35, 0.8])];

function image(strokes: Stroke[]): Float32Array {
  const pixels = rasterise(strokes);
  if (!pixels) throw new Error('empty');
  return pixels;
}

/** First and last row and column with ink. */
function inkBox(pixels: Float32Array) {
  const inked = [...pixels.keys()].filter((i) => (pixels[i] ?? 0) > 0.02);
  const columns = inked.map((i) => i % SIDE);
  const rows = inked.map((i) => Math.floor(i / SIDE));
  return {
    width: Math.max(...columns) - Math.min(...columns) + 1,
    height: Math.max(...rows) - Math.min(...rows) + 1,
  };
}

describe('a drawing made into an image as MNIST was', () => {
  it('is nothing where nothing was drawn', () => {
    expect(rasterise([])).toBeUndefined();
    expect(rasterise([[]])).toBeUndefined();
  });

  it('has 28 x 28 pixels from 0 to 1, with grey edges', () => {
    const pixels = image([circle(0.5, 0.5, 0.2)]);
    expect(pixels.length).toBe(PIXELS);
    expect(Math.min(...pixels)).toBe(0);
    expect(Math.max(...pixels)).toBe(1);
    expect(pixels.filter((ink) => ink > 0.1 && ink < 0.9).length).toBeGreaterThan(20);
  });

  it.each([
    ['a circle', [circle(0.5, 0.5, 0.2)]],
    ['a tall stroke', [line([0.5, 0.1], [0.52, 0.9])]],
    ['a wide stroke', [line([0.1, 0.5], [0.9, 0.52])]],
    ['a seven', seven],
  ])('fits the ink of %s into the box', (_name, strokes) => {
    const { width, height } = inkBox(image(strokes));
    expect(Math.max(width, height)).toBeGreaterThanOrEqual(20);
    expect(Math.max(width, height)).toBeLessThanOrEqual(23);
  });

  it('puts the centre of mass in the middle', () => {
    for (const strokes of [seven, [circle(0.3, 0.7, 0.1), line([0.3, 0.8], [0.3, 0.95])]]) {
      const { x, y } = centreOfMass(image(strokes));
      expect(x).toBeCloseTo(SIDE / 2, 0);
      expect(y).toBeCloseTo(SIDE / 2, 0);
    }
  });

  it('does not depend on where and how large one draws', () => {
    const moved = seven.map((stroke) =>
      stroke.map(({ x, y }) => ({ x: 0.37 * x + 0.5, y: 0.37 * y + 0.1 })),
    );
    const [a, b] = [image(seven), image(moved)];
    expect(Math.max(...a.map((ink, i) => Math.abs(ink - (b[i] ?? 0))))).toBeLessThan(1e-4);
  });

  it('takes a single dot', () => {
    const { width, height } = inkBox(image([line([0.9, 0.1])]));
    expect(width).toBe(height);
    expect(width).toBeLessThan(7);
  });

  describe('beside real digits', () => {
    let heldOut: Digits;
    beforeAll(async () => {
      ({ heldOut } = splitDigits(await readDigits()));
    }, 60_000);

    it('has strokes about as wide: a drawn zero has the ink of a real one', () => {
      const sum = (values: Float32Array) => values.reduce((total, ink) => total + ink, 0);
      const real = [...heldOut.labels.keys()]
        .filter((i) => heldOut.labels[i] === 0)
        .map((i) => sum(toFloats(heldOut.pixels.subarray(i * PIXELS, (i + 1) * PIXELS))));
      const mean = real.reduce((total, ink) => total + ink, 0) / real.length;
      const oval = circle(0, 0, 0.3).map(({ x, y }) => ({ x: 0.8 * x, y }));
      expect(sum(image([oval])) / mean).toBeGreaterThan(0.75);
      expect(sum(image([oval])) / mean).toBeLessThan(1.25);
    });

    it('centres as they were', () => {
      for (let i = 0; i < 50; i++) {
        const { x, y } = centreOfMass(
          toFloats(heldOut.pixels.subarray(i * PIXELS, (i + 1) * PIXELS)),
        );
        expect(Math.abs(x - SIDE / 2)).toBeLessThan(1.01);
        expect(Math.abs(y - SIDE / 2)).toBeLessThan(1.01);
      }
    });
  });
});
