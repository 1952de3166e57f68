// Few elements on a software adapter go one by one, more of them in packs of four: the numbers are the same.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { catalog } from '../../src/catalog.ts';
import { noGrad, tensor, type Device, type Tensor } from '../../src/index.ts';
import { SOFTWARE } from '../../src/kernels/tuning.ts';
import { openGpu } from '../open.ts';

let device: Device;
beforeAll(async () => {
  device = await openGpu();
});
afterAll(() => {
  device.dispose();
});

const ROW = 12;
const LARGE = Math.ceil(SOFTWARE.scalarBelow / ROW + 1) * ROW;
const SMALL = 20 * ROW;

/** Numbers of all sizes, and those that are none. */
const values = Float32Array.from({ length: LARGE }, (_, i) =>
  i % 97 === 0
    ? ([NaN, Infinity, -Infinity, -0][(i / 97) % 4] ?? 0)
    : Math.sin(i * i) * 2 ** ((i % 41) - 34),
);

type Activation = (x: Tensor, options?: object) => Tensor;
const activations = catalog.filter(
  ({ kind, op, required }) =>
    kind === 'activation' && !['rrelu', 'prelu'].includes(op) && (required ?? []).length === 0,
);

/** An activation of the first elements, and its gradient. */
async function compute(
  activation: Activation,
  size: number,
  bias: boolean,
): Promise<(Float32Array | Int32Array)[]> {
  const x = tensor(values.slice(0, size), { device, shape: [size / ROW, ROW], requiresGrad: true });
  const options = bias ? { bias: tensor(values.slice(5, 5 + ROW), { device }) } : {};
  const y = activation(x, options);
  y.backward(tensor(values.slice(0, size), { device, shape: x.shape }).detach());
  // Over its input.
  const own = x.detach();
  const grad = x.grad ? await x.grad.data() : new Float32Array();
  const result = await y.data();
  const inPlace = noGrad(() => activation(own, { ...options, out: own }));
  return [result, await inPlace.data(), grad];
}

describe('elements one by one and in packs', () => {
  it('are told apart by their number', async () => {
    const before = device.stats().pipelinesCompiled;
    const { relu } = await import('../../src/index.ts');
    for (const size of [SMALL, LARGE]) await relu(tensor(values.slice(0, size), { device })).data();
    expect(device.stats().pipelinesCompiled - before).toBe(2);
  });

  for (const activation of activations) {
    it(activation.op, async () => {
      for (const bias of [false, true]) {
        const few = await compute(activation as unknown as Activation, SMALL, bias);
        const many = await compute(activation as unknown as Activation, LARGE, bias);
        few.forEach((result, k) => {
          expect(result).toEqual(many[k]?.slice(0, SMALL));
        });
      }
    });
  }
});
