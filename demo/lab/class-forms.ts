// What losses of classes, regions and labels take as their tensors, in forms where one number moves, for their pictures.
import { tensor } from 'nonlin';
import { indices, NAMES, repeated, row, type Form } from './loss-form.ts';

export const CLASS_FORMS = {
  classes: row('classes', (n, t, device) => indices([t], n, device, [n])),
  cosines: {
    ...row('cosines', (n, t, device) => indices([t], n, device, [n])),
    axis: 'cosine of class 0 (other cosines: 0)',
    range: [-0.999, 0.999],
  },
  logClasses: {
    ...row('logClasses', (n, t, device) => indices([t], n, device, [n])),
    axis: 'log-probability of class 0 (other classes: -1)',
    range: [-6, 0],
    input: (x) => ({
      values: Float32Array.from({ length: 3 * x.length }, (_, i) =>
        i % 3 === 0 ? (x[i / 3] ?? 0) : -1,
      ),
      shape: [x.length, 3],
    }),
  },
  multiHot: row('multiHot', (n, t, device) => repeated([t, 1 - t, 0], n, device), {
    name: 'target',
    label: 'target of class 0',
    value: '1',
    choices: ['1', '0'],
  }),
  labelSet: row('labelSet', (n, t, device) => indices([t, -1, -1], n, device, [n, 3])),
  region: {
    name: 'region',
    group: 'Classification',
    axis: 'predicted probability inside the region (outside: 1 minus it)',
    range: [0.01, 0.99],
    setting: {
      name: 'inside',
      label: 'pixels inside, of 4',
      value: 2,
      min: 0,
      max: 4,
      step: 1,
    },
    names: NAMES,
    input: (x, inside) => ({
      values: Float32Array.from({ length: 4 * x.length }, (_, i) => {
        const p = x[Math.floor(i / 4)] ?? 0;
        return i % 4 < inside ? p : 1 - p;
      }),
      shape: [x.length, 4],
    }),
    args: (moving, n, inside, device) => [
      moving,
      repeated(
        [0, 1, 2, 3].map((pixel) => (pixel < inside ? 1 : 0)),
        n,
        device,
      ),
    ],
    along: (gradient, i, _, inside) =>
      gradient
        .subarray(4 * i, 4 * i + 4)
        .reduce((sum, slope, pixel) => sum + (pixel < inside ? slope : -slope), 0),
  },
  mask: {
    name: 'mask',
    group: 'Classification',
    axis: 'logit inside the region (outside: its negative)',
    range: [-6, 6],
    setting: { name: 'inside', label: 'pixels inside, of 4', value: 2, min: 0, max: 4, step: 1 },
    settled: ['mode', 'fromLogits'],
    // The examples are classes, each of four pixels: [4, examples].
    given: { mode: 'multilabel' },
    names: NAMES,
    input: (x, inside) => ({
      values: Float32Array.from({ length: 4 * x.length }, (_, i) => {
        const logit = x[i % x.length] ?? 0;
        return Math.floor(i / x.length) < inside ? logit : -logit;
      }),
      shape: [4, x.length],
    }),
    args: (moving, n, inside, device) => [
      moving,
      tensor(
        Float32Array.from({ length: 4 * n }, (_, i) => Number(Math.floor(i / n) < inside)),
        { shape: [4, n], device },
      ),
    ],
    along: (gradient, i, _, inside) => {
      const n = gradient.length / 4;
      return [0, 1, 2, 3].reduce((sum, pixel) => {
        const slope = gradient[pixel * n + i] ?? NaN;
        return sum + (pixel < inside ? slope : -slope);
      }, 0);
    },
  },
  linear: {
    ...row('linear', (n, t, device) => indices([t], n, device, [n])),
    names: ['input', 'linearWeight', 'target'],
    input: (x) => ({ values: x, shape: [x.length, 1] }),
    args: (moving, n, t, device) => [
      moving,
      tensor([[1], [0], [0]], { device }),
      indices([t], n, device, [n]),
    ],
    along: (gradient, i) => gradient[i] ?? NaN,
  },
  clusters: {
    name: 'clusters',
    group: 'Classification',
    axis: 'logit of the cluster of classes 2 and 3, and of class 2 in it',
    range: [-6, 6],
    setting: {
      name: 'target',
      label: 'target class',
      value: '2',
      choices: ['0', '1', '2', '3'],
    },
    names: ['input', 'target', 'headWeight', 'tailWeights'],
    input: (x) => ({ values: x, shape: [x.length, 1] }),
    args: (moving, n, t, device) => [
      moving,
      indices([t], n, device, [n]),
      tensor([[0], [0], [1]], { device }),
      [[tensor([[1]], { device }), tensor([[1], [0]], { device })]],
    ],
    along: (gradient, i) => gradient[i] ?? NaN,
  },
  alignment: {
    name: 'alignment',
    group: 'Classification',
    axis: 'log-probability of the label at each of 3 steps',
    range: [-4, -0.02],
    setting: {
      name: 'labels',
      label: 'labels in the target',
      value: '1',
      choices: ['1', '2'],
    },
    settled: ['blank'],
    names: ['logProbs', 'targets', 'inputLengths', 'targetLengths'],
    // [time, batch, classes], the blank first
    input: (x) => ({
      values: Float32Array.from({ length: 6 * x.length }, (_, i) => {
        const label = x[(i >> 1) % x.length] ?? 0;
        return i % 2 === 1 ? label : Math.log(-Math.expm1(label));
      }),
      shape: [3, x.length, 2],
    }),
    args: (moving, n, labels, device) => [
      moving,
      indices(Array<number>(labels).fill(1), n, device, [n, labels]),
      indices([3], n, device, [n]),
      indices([labels], n, device, [n]),
    ],
    along: (gradient, i, x) => {
      const n = gradient.length / 6;
      const odds = -Math.exp(x) / -Math.expm1(x);
      let sum = 0;
      for (let step = 0; step < 3; step++) {
        const at = 2 * (step * n + i);
        sum += (gradient[at + 1] ?? NaN) + odds * (gradient[at] ?? NaN);
      }
      return sum;
    },
  },
} satisfies Record<string, Form>;
