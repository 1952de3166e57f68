// What activations with a learned tensor share (prelu, snake): one number for all elements, one per channel, or of any shape that
// broadcasts. It gets a gradient.
import { isRecording, record } from '../core/autograd.ts';
import { currentDevice } from '../core/current.ts';
import type { Device } from '../core/device.ts';
import { run, runOne } from '../core/dispatcher.ts';
import { BYTES, encode, type FloatDType } from '../core/dtype.ts';
import { allocating } from '../core/memory.ts';
import { fromHost, type Tensor } from '../core/tensor.ts';
import { checkOut, checkPlacement, checkTensors } from '../core/validate.ts';
import { checkNumber } from '../core/validate-options.ts';
import { at } from '../cpu/rows.ts';
import { pointwise, type PointwiseOp } from '../kernels/pointwise/plan.ts';
import { sumTo, view } from '../kernels/reduce/sum-to.ts';
import type { Source } from '../shader/link.ts';
import { alongChannels } from './along-channels.ts';

export interface LearnedDeclaration {
  readonly name: string;
  /** The name of the learned tensor, in calls and in the WGSL of `body`. */
  readonly learned: string;
  readonly source: Source;
  readonly params: PointwiseOp['params'];
  /** WGSL of a function's body: the results of `x` and the learned number, and both gradients, also of `grad_output`. */
  readonly body: { readonly forward: string; readonly backward: string };
  /** The same in float64. */
  readonly forward: (x: number, learned: number) => number;
  readonly backward: (x: number, learned: number, gradOutput: number) => readonly [number, number];
}

/** The pointwise ops of a declaration. */
export function learnedOps(declaration: LearnedDeclaration): {
  readonly forwardOp: PointwiseOp;
  readonly backwardOp: PointwiseOp;
} {
  const { name, learned, source, params, body, forward, backward } = declaration;
  const common = { name, source, params };
  return {
    forwardOp: {
      ...common,
      inputs: ['x', learned],
      results: 1,
      body: body.forward,
      reference: (v, r) => {
        r[0] = forward(at(v, 0), at(v, 1));
      },
      inPlace: [0],
    },
    backwardOp: {
      ...common,
      inputs: ['x', learned, 'grad_output'],
      results: 2,
      body: body.backward,
      reference: (v, r) => {
        [r[0], r[1]] = backward(at(v, 0), at(v, 1), at(v, 2));
      },
    },
  };
}

/** A declared activation: its call, and its gradients, of the learned tensor in a shape that broadcasts to x where it is wanted. */
export interface Learned {
  readonly apply: (x: Tensor, learned: Tensor, out: Tensor | undefined) => Tensor;
  readonly gradients: (
    x: Tensor,
    learned: Tensor,
    gradOutput: Tensor,
    wanted: boolean,
  ) => [Tensor, Tensor | null];
}

export function defineLearned(declaration: LearnedDeclaration): Learned {
  const { name, learned: argument } = declaration;
  const { forwardOp, backwardOp } = learnedOps(declaration);

  const gradients: Learned['gradients'] = (x, learned, gradOutput, wanted) => {
    const [gradX, parts] = run(
      pointwise,
      { op: backwardOp, params: {}, shape: x.shape },
      [x, learned, gradOutput],
      // The learned tensor's in float32, so that its sum is rounded once.
      [x.like(), { shape: x.shape, dtype: 'float32' }],
    );
    const sum = wanted && parts ? sumTo(parts, learned.shape, learned.dtype) : null;
    parts?.dispose();
    return [gradX, sum];
  };

  const apply: Learned['apply'] = (x, learned, out) => {
    checkTensors(name, { x, [argument]: learned });
    const along = alongChannels(name, argument, x, learned);
    checkOut(name, out, x, isRecording([x, learned]));
    const spread = view(learned, along);
    const args = { op: forwardOp, params: {}, shape: x.shape };
    const output = runOne(pointwise, args, [x, spread], out ?? x.like());
    const { shape } = learned;
    const recorded = record(
      output,
      name,
      [x, learned],
      [x, spread],
      (upstream, [savedX, saved], needs) => {
        if (!savedX || !saved) return [];
        const [gradX, sum] = gradients(savedX, saved, upstream.tensor, needs[1] ?? false);
        const shaped = sum && view(sum, shape);
        sum?.dispose();
        if (needs[0]) return [gradX, shaped];
        gradX.dispose();
        return [null, shaped];
      },
    );
    spread.dispose();
    return recorded;
  };
  return { apply, gradients };
}

/** What modules with a learned tensor of one dimension take of it. */
export interface LearnedRow {
  readonly numParameters?: number;
  readonly device?: Device;
  readonly dtype?: FloatDType;
}

/** Such a tensor, whose numbers all begin with one value. */
export function filledRow(op: string, options: LearnedRow, value: number): Tensor {
  const { numParameters = 1, device = currentDevice(), dtype = 'float32' } = options;
  checkNumber(op, 'numParameters', numParameters, { min: 1, integer: true });
  checkPlacement(op, device, dtype);
  const bytes = numParameters * BYTES[dtype];
  device.checkBytes(op, bytes);
  const values = allocating(op, bytes, () =>
    encode(dtype, new Float64Array(numParameters).fill(value)),
  );
  return fromHost(values, [numParameters], dtype, device);
}
