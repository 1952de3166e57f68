// What the modules of norms by channels share: their options, their learned tensors, their running statistics.
import { currentDevice } from '../core/current.ts';
import type { Device } from '../core/device.ts';
import { BYTES, encode, type DType, type FloatDType } from '../core/dtype.ts';
import { ShapeError } from '../core/errors.ts';
import { allocating } from '../core/memory.ts';
import { undone } from '../core/scope.ts';
import { formatShape, sizeOf, type Shape } from '../core/shape.ts';
import { fromHost, type Tensor } from '../core/tensor.ts';
import { checkPlacement, checkTensor } from '../core/validate.ts';
import { checkBoolean, checkNumber, checkOptionNames } from '../core/validate-options.ts';
import { Module } from '../nn/module.ts';

/** Options of `nn.GroupNorm` and of what the norms by channels share. */
export interface AffineOptions {
  /** At least 0. Defaults to 1e-5. */
  eps?: number;
  /** Whether there are a learned weight and bias per channel. */
  affine?: boolean;
  /** Defaults to the device of the latest `init()`. */
  device?: Device;
  /** Defaults to `'float32'`. */
  dtype?: FloatDType;
}

/** Options of `nn.BatchNorm1d`, `nn.InstanceNorm1d` and their sisters. */
export interface TrackingOptions extends AffineOptions {
  /** The weight of a batch in the running statistics, by default 0.1. */
  momentum?: number | null;
  /** Whether there are running statistics. */
  trackRunningStats?: boolean;
}

/** A tensor of one value throughout. */
function filled(op: string, value: number, shape: Shape, dtype: DType, device: Device): Tensor {
  const bytes = sizeOf(shape) * BYTES[dtype];
  device.checkBytes(op, bytes);
  const values = allocating(op, bytes, () =>
    encode(dtype, new Float64Array(sizeOf(shape)).fill(value)),
  );
  return fromHost(values, shape, dtype, device);
}

/** A module with a weight of ones and a bias of zeros, one of each per channel. */
export abstract class AffineModule extends Module {
  /** A factor per channel, or null. */
  readonly weight: Tensor | null;
  /** Added per channel, or null. */
  readonly bias: Tensor | null;
  protected readonly eps: number;

  constructor(op: string, channels: number, options: AffineOptions) {
    super();
    const { eps = 1e-5, affine = true, device = currentDevice(), dtype = 'float32' } = options;
    checkNumber(op, 'eps', eps, { min: 0 });
    checkBoolean(op, 'affine', affine);
    checkPlacement(op, device, dtype);
    this.eps = eps;
    const [weight, bias] = undone((): (Tensor | null)[] =>
      affine
        ? [filled(op, 1, [channels], dtype, device), filled(op, 0, [channels], dtype, device)]
        : [null, null],
    );
    this.weight = weight ? this.parameter('weight', weight) : null;
    this.bias = bias ? this.parameter('bias', bias) : null;
  }
}

/** One with running statistics, under PyTorch's names in its state. */
export abstract class TrackingModule extends AffineModule {
  /** How many channels there are. */
  readonly numFeatures: number;
  /** The mean of each channel over batches, or null. */
  readonly runningMean: Tensor | null;
  /** The variance of each channel over batches, or null. */
  readonly runningVar: Tensor | null;
  /** An int32 scalar. */
  readonly numBatchesTracked: Tensor | null;
  protected readonly momentum: number | null;
  readonly #op: string;
  readonly #ranks: readonly number[];

  /** `ranks`: how many dimensions `x` may have. */
  constructor(
    op: string,
    ranks: readonly number[],
    numFeatures: number,
    options: TrackingOptions,
    defaults: { readonly affine: boolean; readonly trackRunningStats: boolean },
  ) {
    const names = ['eps', 'momentum', 'affine', 'trackRunningStats', 'device', 'dtype'];
    checkOptionNames(op, options, names);
    checkNumber(op, 'numFeatures', numFeatures, { integer: true, min: 1 });
    const { momentum = 0.1, trackRunningStats = defaults.trackRunningStats } = options;
    if (momentum !== null) checkNumber(op, 'momentum', momentum);
    checkBoolean(op, 'trackRunningStats', trackRunningStats);
    super(op, numFeatures, { ...options, affine: options.affine ?? defaults.affine });
    const { device = currentDevice(), dtype = 'float32' } = options;
    this.#op = op;
    this.#ranks = ranks;
    this.numFeatures = numFeatures;
    this.momentum = momentum;
    const [mean, variance, batches] = undone((): (Tensor | null)[] =>
      trackRunningStats
        ? [
            filled(op, 0, [numFeatures], dtype, device),
            filled(op, 1, [numFeatures], dtype, device),
            filled(op, 0, [], 'int32', device),
          ]
        : [null, null, null],
    );
    this.runningMean = mean ? this.buffer('running_mean', mean) : null;
    this.runningVar = variance ? this.buffer('running_var', variance) : null;
    this.numBatchesTracked = batches ? this.buffer('num_batches_tracked', batches) : null;
  }

  /** `x` has as many dimensions, and channels in dimension `at`. */
  protected checkInput(x: Tensor, at: (rank: number) => number): void {
    checkTensor(this.#op, 'x', x);
    const { rank, shape } = x;
    if (this.#ranks.includes(rank) && shape[at(rank)] === this.numFeatures) return;
    throw new ShapeError({
      op: this.#op,
      argument: 'x',
      expected: `${this.#ranks.join(' or ')} dimensions, with ${this.numFeatures} channels`,
      received: `shape ${formatShape(shape)}`,
    });
  }
}
