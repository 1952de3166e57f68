import { init, type Device } from 'nonlin';
import { beforeAll, describe, expect, it } from 'vitest';
import { histogramOf } from '../../demo/training/inside.ts';
import { DEFAULTS } from '../../demo/training/settings.ts';
import { spiralsTask } from '../../demo/training/tasks/spirals.ts';
import { Trainer } from '../../demo/training/trainer.ts';
import { activationOf, LOSS } from '../../demo/views/home/choices.ts';
import { histogramsOf } from '../../demo/views/train/inside/histograms.ts';
import { paintTiles, rgbOf, sizeOfTiles, wholeOf } from '../../demo/views/train/inside/tiles.ts';

let device: Device;
beforeAll(async () => {
  device = await init({ backend: 'cpu' });
});

const task = spiralsTask();
const make = () => {
  const settings = { ...DEFAULTS, width: 6, layers: 2, batchSize: 60, epochs: 1 };
  return new Trainer({ settings, activation: activationOf('tanh'), loss: LOSS, task, device });
};

/** tanh(x Wᵀ + b), in double precision. */
function layerOf(
  x: ArrayLike<number>,
  weight: { shape: readonly number[]; values: ArrayLike<number> },
  bias: { values: ArrayLike<number> },
): number[] {
  const [units = 0, inputs = 0] = weight.shape;
  return Array.from({ length: (x.length / inputs) * units }, (_, i) => {
    const [row, unit] = [Math.floor(i / units), i % units];
    let sum = bias.values[unit] ?? NaN;
    for (let k = 0; k < inputs; k++) {
      sum += (x[row * inputs + k] ?? NaN) * (weight.values[unit * inputs + k] ?? NaN);
    }
    return Math.tanh(sum);
  });
}

describe('looking inside a network', () => {
  it('gives what its hidden layers make of inputs, and changes nothing', async () => {
    const trainer = make();
    for await (const report of trainer.train()) if (report.step >= 5) break;
    const { model } = await trainer.checkpoint();
    const of = (name: string) => {
      const kept = model[name];
      if (!kept) throw new Error(`no ${name}`);
      return kept;
    };
    const x = Float32Array.of(0.5, -0.25, -1, 0.75, 0, 0);
    const live = device.stats().liveBuffers;
    const found = await trainer.activations(x);
    const first = layerOf(x, of('0.weight'), of('0.bias'));
    const second = layerOf(first, of('2.weight'), of('2.bias'));
    expect(found.map((layer) => layer.length)).toEqual([18, 18]);
    [first, second].forEach((layer, k) =>
      layer.forEach((value, i) => expect(found[k]?.[i]).toBeCloseTo(value, 5)),
    );
    expect([...(await trainer.firstWeights(6))]).toEqual([...of('0.weight').values]);
    expect([...(await trainer.firstWeights(2))]).toEqual([...of('0.weight').values].slice(0, 4));
    expect(await trainer.checkpoint()).toMatchObject({ model });
    expect(device.stats().liveBuffers).toBe(live);
    trainer.dispose();
  });
});

describe('histograms', () => {
  it('count what is in each part of their range', () => {
    const values = Float32Array.of(0, 0.25, 0.5, 0.75, 1, 1.5, NaN);
    expect(histogramOf(values, 0, 1, 4)).toEqual([1, 1, 1, 2]);
    expect(histogramOf(Float32Array.of(3, 3), 3, 3, 2)).toEqual([2, 0]);
  });

  it('of a layer say its spread, and leave out what is exactly 0', () => {
    const seen = (step: number, ...values: number[]) => ({
      step,
      layers: [Float32Array.from(values)],
    });
    const [layer] = histogramsOf(seen(0, -1, 1), seen(9, 0, 0, 2, 4));
    expect(layer).toMatchObject({ least: -1, most: 4, zero: 0.5, mean: 1.5 });
    expect(layer?.deviation).toBeCloseTo(Math.sqrt(2.75), 12);
    const sum = (shares: readonly number[] = []) => shares.reduce((all, share) => all + share, 0);
    expect([sum(layer?.first), sum(layer?.now)]).toEqual([1, 0.5]);
    expect(layer?.now.at(-1)).toBe(0.25);
  });
});

describe('pictures of units', () => {
  const tiling = {
    width: 2,
    height: 1,
    columns: 2,
    above: [10, 20, 30],
    below: [40, 50, 60],
    whole: 2,
  } as const;

  it('stand side by side, a colour for each sign and clear at 0', () => {
    const pictures = [
      [2, -1],
      [0, 8],
      [-2, 1],
    ];
    expect(sizeOfTiles(3, tiling)).toEqual({ width: 7, height: 5 });
    const pixels = paintTiles(pictures, tiling);
    const at = (x: number, y: number) => [...pixels.subarray(4 * (7 * y + x), 4 * (7 * y + x) + 4)];
    expect(at(1, 1)).toEqual([10, 20, 30, 255]);
    expect(at(2, 1)).toEqual([40, 50, 60, 128]);
    expect(at(4, 1)[3]).toBe(0);
    expect(at(5, 1)).toEqual([10, 20, 30, 255]);
    expect(at(1, 3)).toEqual([40, 50, 60, 255]);
    expect(at(0, 0)[3]).toBe(0);
    expect(at(3, 1)[3]).toBe(0);
  });

  it('have their colours from the style sheet, and their scale from their numbers', () => {
    expect(rgbOf('rgb(34, 70, 184)')).toEqual([34, 70, 184]);
    expect(wholeOf([3, -4, 0, 0])).toBe(7.5);
    expect(wholeOf([0, 0])).toBe(1);
  });
});
