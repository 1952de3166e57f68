// Takes an elementwise or gated activation, and gives f and f′ over x in a plot.
import type { Device } from 'nonlin';
import type { Picture } from '../../lab/card.ts';
import { compute, places } from '../../lab/curve.ts';
import { type FunctionOp } from '../../lab/functions.ts';
import { valuesOf, type Option, type Values } from '../../lab/options.ts';
import { framedWithin, keys, Plot } from '../../lab/plot.ts';

export const REACH = 5;
export const POINTS = 401;

/** Steep functions leave the frame rather than flatten the rest. */
export const clipped = framedWithin(REACH);

/** What is set of the picture: of a gated unit, the half of the input that runs along x, and what the other half is. */
export function pictureOptions({ gate }: FunctionOp): Option[] {
  if (gate === undefined) return [];
  return [
    { name: 'half', label: 'half that is x', value: gate, choices: ['first', 'second'] },
    { name: 'other', label: 'value of the other half', value: 1, min: -3, max: 3, step: 0.1 },
  ];
}

export class CurvePicture implements Picture {
  readonly #op: FunctionOp;
  readonly #plot: Plot;

  constructor(host: HTMLElement, op: FunctionOp) {
    this.#op = op;
    host.className = 'picture';
    const frame = document.createElement('div');
    const readout = keys(['c1', 'f(x)'], ['c2 dashed', 'f′(x)']);
    host.append(frame, readout.element);
    this.#plot = new Plot(frame, { yRange: clipped, readout: readout.show });
  }

  async draw(device: Device, values: Values): Promise<void> {
    const x = places(-REACH, REACH, POINTS);
    const { y, slope } = await curveOf(this.#op, values, x, device);
    const middle = (POINTS - 1) / 2;
    const unit = middle / REACH;
    const at = (value: number) =>
      Number((y[Math.round(middle + value * unit)] ?? NaN).toPrecision(3));
    this.#plot.show(
      {
        x,
        series: [
          { label: 'f′', y: slope, colour: '--c2', dashed: true, width: 1.5 },
          { label: 'f', y, colour: '--c1', width: 2.5 },
        ],
      },
      `${this.#op.op} and its derivative from -${REACH} to ${REACH}: ` +
        [-2, -1, 0, 1, 2].map((v) => `f(${v}) = ${at(v)}`).join(', '),
    );
  }

  dispose(): void {
    this.#plot.dispose();
  }
}

/** f and f′ at `x`. Of a gated unit: over one half of its input, the other half being a constant. */
export async function curveOf(op: FunctionOp, values: Values, x: Float32Array, device: Device) {
  const call = (t: Parameters<FunctionOp['call']>[0]) => op.call(t, valuesOf(op.options, values));
  if (op.gate === undefined) return compute(call, x, [x.length], device);
  const pairs = new Float32Array(2 * x.length).fill(Number(values.other));
  const offset = values.half === 'first' ? 0 : 1;
  x.forEach((value, i) => (pairs[2 * i + offset] = value));
  const { y, slope } = await compute(call, pairs, [x.length, 2], device);
  return { y, slope: slope.filter((_, i) => i % 2 === offset) };
}
