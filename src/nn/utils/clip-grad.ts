// Keeps gradients small, as torch.nn.utils does.
import { noGrad } from '../../core/autograd.ts';
import { describe } from '../../core/describe.ts';
import { run, staged } from '../../core/dispatcher.ts';
import { DTypeError } from '../../core/errors.ts';
import { currentDevice } from '../../core/current.ts';
import { isTensor } from '../../core/is-tensor.ts';
import { undone } from '../../core/scope.ts';
import { fromHost, type Tensor } from '../../core/tensor.ts';
import { checkDevice, checkGrad, checkTensor } from '../../core/validate.ts';
import { checkBoolean, checkNumber, checkOptionNames } from '../../core/validate-options.ts';
import { normKernel, scaleKernel } from '../../kernels/many/norms.ts';
import { copyOf } from '../../kernels/pointwise/basic.ts';
import { pointwise, type PointwiseOp } from '../../kernels/pointwise/plan.ts';

/** Options of `nn.utils.getTotalNorm` and `nn.utils.clipGradNorm`. */
export interface TotalNormOptions {
  /** The p of the norm, above 0, or Infinity for the largest magnitude. Defaults to 2. */
  normType?: number;
  /**
   * Whether a norm that is not finite is an error. On the CPU it is thrown at once; on WebGPU by the first read of what depends on
   * the norm, such as `await norm.item()`, and gradients are left as they are. Defaults to false.
   */
  errorIfNonfinite?: boolean;
}

const NAMES = ['normType', 'errorIfNonfinite'];

/** The tensors of a call, one or several. */
function tensorsOf(op: string, argument: string, given: unknown): Tensor[] {
  const list: unknown = isTensor(given) ? [given] : given;
  const iterable = Object(list) as Partial<Iterable<unknown>>;
  if (typeof list === 'string' || typeof iterable[Symbol.iterator] !== 'function') {
    throw new DTypeError({
      op,
      argument,
      expected: 'a tensor or an array of tensors',
      received: describe(given),
    });
  }
  return [...(list as Iterable<unknown>)].map((one, i) => {
    const name = isTensor(given) ? argument : `${argument}[${i}]`;
    checkTensor(op, name, one);
    return one;
  });
}

/** The gradients that parameters have. */
function gradsOf(op: string, parameters: unknown): Tensor[] {
  const list = tensorsOf(op, 'parameters', parameters);
  const grads: Tensor[] = [];
  list.forEach((parameter, i) => {
    const { grad } = parameter;
    if (!grad) return;
    checkGrad(op, `parameters[${i}].grad`, grad, parameter);
    const [first] = grads;
    if (first) checkDevice(op, `parameters[${i}].grad`, grad, first.device);
    grads.push(grad);
  });
  grads[0]?.device.check(op);
  return grads;
}

function checkNorm(op: string, options: object): Required<TotalNormOptions> {
  checkOptionNames(op, options, NAMES);
  const { normType = 2, errorIfNonfinite = false } = options as TotalNormOptions;
  checkNumber(op, 'normType', normType, { min: 0, above: true });
  checkBoolean(op, 'errorIfNonfinite', errorIfNonfinite);
  return { normType, errorIfNonfinite };
}

/** Memory that ends with the tensor cannot be read in packs: a copy is. */
function padded(tensor: Tensor): Tensor {
  const { device, size, dtype } = tensor;
  const bytes = size * (dtype === 'float16' ? 2 : 4);
  return device.isPadded(tensor.storage('norm'), bytes) ? tensor : copyOf(tensor);
}

function normOf(
  op: string,
  tensors: readonly Tensor[],
  { normType, errorIfNonfinite }: Required<TotalNormOptions>,
): Tensor {
  const [first] = tensors;
  const args = { op: { name: op }, p: normType, finite: errorIfNonfinite };
  const like = { shape: [], dtype: 'float32' } as const;
  if (!first || tensors.every(({ size }) => size === 0)) {
    return fromHost(new Float32Array(1), [], 'float32', first?.device ?? currentDevice());
  }
  return run(normKernel, args, tensors, [like])[0];
}

/**
 * The norm of all elements of some tensors together, such as gradients: (Σ |x|^p)^(1/p), a float32 scalar on their device, as
 * `torch.nn.utils.get_total_norm`. Right for any magnitude: no power leaves float32 on the way. No gradient.
 *
 * @throws `DTypeError` for what is no list of float tensors.
 * @throws `OptionError` for an option that is unknown, or a value out of its range.
 * @throws `DeviceMismatchError` for tensors of several devices.
 * @throws `DisposedError` for a tensor that is disposed.
 */
export function getTotalNorm(
  tensors: Tensor | Iterable<Tensor>,
  options: TotalNormOptions = {},
): Tensor {
  const op = 'getTotalNorm';
  const list = tensorsOf(op, 'tensors', tensors);
  const settings = checkNorm(op, options);
  list.forEach((one, i) => {
    const [first] = list;
    if (first) checkDevice(op, `tensors[${i}]`, one, first.device);
  });
  return noGrad(() => {
    const all = list.map(padded);
    try {
      return normOf(op, all, settings);
    } finally {
      all.forEach((one, i) => {
        if (one !== list[i]) one.dispose();
      });
    }
  });
}

/**
 * Scales the gradients of parameters, in place, so that their norm together is at most `maxNorm`: by min(1, maxNorm / (norm +
 * 1e-6)), as `torch.nn.utils.clip_grad_norm_`. Returns the norm before that, a float32 scalar: it stays on the device, and is the
 * same bits on every run. Parameters without a gradient are left out. Gradients past 1e19, whose squares leave float32, are
 * scaled right.
 *
 * @example
 * loss.backward();
 * const norm = nn.utils.clipGradNorm(model.parameters(), 1);
 * optimizer.step();
 * @throws `DTypeError` for what are no parameters.
 * @throws `OptionError` for an option that is unknown, or a value out of its range.
 * @throws `DeviceMismatchError` for gradients on several devices.
 * @throws `DisposedError` for a tensor that is disposed.
 */
export function clipGradNorm(
  parameters: Tensor | Iterable<Tensor>,
  maxNorm: number,
  options: TotalNormOptions = {},
): Tensor {
  const op = 'clipGradNorm';
  const settings = checkNorm(op, options);
  checkNumber(op, 'maxNorm', maxNorm, { min: 0 });
  const grads = gradsOf(op, parameters);
  const [first] = grads;
  if (!first) return normOf(op, [], settings);
  const { device } = first;
  const most = Math.min(maxNorm, 3.4028234663852886e38);
  const args = { op: { name: op }, most, finite: settings.errorIfNonfinite };
  return noGrad(() => {
    device.begin(op);
    try {
      return undone(() => {
        const all = grads.map(padded);
        const copies = all.filter((one, i) => one !== grads[i]);
        const norm = normOf(op, all, settings);
        for (const some of apart(all)) run(scaleKernel, args, [...some, norm], some);
        all.forEach((one, i) => {
          const grad = grads[i];
          if (grad && one !== grad) copyOf(one, grad);
        });
        for (const copy of copies) copy.dispose();
        return norm;
      });
    } finally {
      device.end();
    }
  });
}

/**
 * Tensors in lists within which no two share a buffer, which one launch could not write both through. What is the same memory
 * is there once: it is to be written once.
 */
function apart(tensors: readonly Tensor[]): Tensor[][] {
  const lists: Tensor[][] = [];
  const seen = new Set<unknown>();
  for (const tensor of tensors) {
    const storage = tensor.storage('clipGradNorm');
    if (tensor.size === 0 || seen.has(storage)) continue;
    seen.add(storage);
    const free = lists.find((list) =>
      list.every((other) => !tensor.device.overlaps(other.storage('clipGradNorm'), storage)),
    );
    if (free) free.push(tensor);
    else lists.push([tensor]);
  }
  return lists;
}

const clamp: PointwiseOp = {
  name: 'clipGradValue',
  params: { names: ['most'] },
  inputs: ['x'],
  results: 1,
  // A comparison with NaN is false: it stays.
  body: '  return Results(select(select(x, p.most, x > p.most), -p.most, x < -p.most));',
  reference: ([x = NaN], r, { most = 0 }) => {
    r[0] = x > most ? most : x < -most ? -most : x;
  },
  inPlace: [0],
};

/**
 * Holds every element of the gradients of parameters between -clipValue and clipValue, in place, as
 * `torch.nn.utils.clip_grad_value_`. NaN stays.
 *
 * @throws `DTypeError` for what are no parameters.
 * @throws `OptionError` for a `clipValue` below 0.
 * @throws `DeviceMismatchError` for gradients on several devices.
 * @throws `DisposedError` for a tensor that is disposed.
 */
export function clipGradValue(parameters: Tensor | Iterable<Tensor>, clipValue: number): void {
  const op = 'clipGradValue';
  checkNumber(op, 'clipValue', clipValue, { min: 0 });
  const grads = gradsOf(op, parameters);
  const params = { most: Math.min(clipValue, 3.4028234663852886e38) };
  const [first] = grads;
  if (!first || clipValue === Infinity) return;
  noGrad(() => {
    first.device.begin(op);
    try {
      const writes = staged(
        pointwise,
        grads.map((grad) => ({
          args: { op: clamp, params, shape: grad.shape },
          inputs: [grad],
          outputs: [grad],
        })),
      );
      for (const write of writes) write();
    } finally {
      first.device.end();
    }
  });
}
