import { isRecording, noGrad } from '../core/autograd.ts';
import { currentDevice } from '../core/current.ts';
import { gradientsInForward, gradientsInBackward } from '../define/in-forward.ts';
import { defineOp } from '../define/op.ts';
import { REDUCTIONS, type Reduction } from '../define/loss.ts';
import type { Device } from '../core/device.ts';
import { encode, type FloatDType } from '../core/dtype.ts';
import { OptionError } from '../core/errors.ts';
import { copyOf } from '../kernels/pointwise/basic.ts';
import { mul } from '../math/arithmetic.ts';
import { argmax } from '../math/max.ts';
import { mean, sum } from '../math/reduce.ts';
import { reshape } from '../math/reshape.ts';
import { Linear, Sequential } from '../nn/layers.ts';
import { Module } from '../nn/module.ts';
import { scope } from '../core/scope.ts';
import { fromHost, type Tensor } from '../core/tensor.ts';
import { checkOut, checkPlacement } from '../core/validate.ts';
import {
  checkBoolean,
  checkNumber,
  checkOneOf,
  checkOptionNames,
} from '../core/validate-options.ts';
import { checkCutoffs, checkLayers, checkTarget } from './adaptive-checks.ts';
import {
  adaptiveLogProbs,
  adaptiveCall,
  adaptiveLosses,
  castRecorded,
  prepared,
  type AdaptiveLayers,
  type TailWeights,
} from './adaptive-softmax.ts';

const NAME = 'adaptiveLogSoftmaxWithLoss';

/** Options of `adaptiveLogSoftmaxWithLoss`. */
export interface AdaptiveLogSoftmaxOptions {
  /** One number for each class of the head, of shape [shortlist + clusters]. */
  headBias?: Tensor;
  /** `'mean'` (default) over the rows, `'sum'`, or `'none'` for the loss of each. */
  reduction?: Reduction;
  /** Written instead of a new tensor. Only where no gradient is recorded. */
  out?: Tensor;
}

function apply(
  input: Tensor,
  target: Tensor,
  headWeight: Tensor,
  tailWeights: readonly TailWeights[],
  options: AdaptiveLogSoftmaxOptions = {},
): Tensor {
  checkOptionNames(NAME, options, ['headBias', 'reduction', 'out']);
  const { headBias, reduction = 'mean', out } = options;
  checkOneOf(NAME, 'reduction', reduction, REDUCTIONS);
  const layers: AdaptiveLayers = { headWeight, headBias, tailWeights };
  checkLayers(NAME, input, layers);
  checkTarget(NAME, input, target, layers);
  const { dtype, device } = input;
  const shape = reduction === 'none' ? target.shape : [];
  const recording = isRecording([input, headWeight, headBias, ...tailWeights.flat()]);
  checkOut(NAME, out, { device, dtype, shape }, recording);
  return scope(() => {
    const finished = (result: Tensor): Tensor =>
      out ? copyOf(result, out) : castRecorded(result, dtype);
    if (reduction === 'none')
      return finished(reshape(adaptiveLosses(NAME, input, target, layers), shape));
    const reduce = reduction === 'mean' ? mean : sum;
    const call = adaptiveCall(NAME, input, target, layers, (losses) => [finished(reduce(losses))]);
    return gradientsInForward(call)[0];
  });
}

/**
 * Negative log-likelihood under an adaptive softmax, for very many classes of which few are frequent: `input` [N, in] or
 * [in], int32 `target` [N] or a scalar, `headWeight` [shortlist + K, in], and for each of the K clusters of rarer classes a
 * pair of `tailWeights` [h, in] and [C, h]. A class of the shortlist is the head's; one of a cluster has the probability of
 * the cluster times its own in there. Gradients for the input and all weights. Options: `headBias`, `reduction` ('mean').
 *
 * A tail is computed for the rows in its cluster alone where the host has made the targets (`tensor()`); of targets that
 * only the GPU knows, every tail is computed for every row.
 *
 * @example adaptiveLogSoftmaxWithLoss(x, target, headWeight, tailWeights, { cutoffs: [100, 1000] })
 */
export const adaptiveLogSoftmaxWithLoss = /* @__PURE__ */ defineOp(apply, {
  op: NAME,
  kind: 'loss',
  params: {},
  accuracy: { forward: 8, backward: 8 },
  docs: {
    tex: String.raw`-\log p_y, \quad p_y = \mathrm{softmax}(W x + b)_y \text{ or, in cluster } k,\ \mathrm{softmax}(W x + b)_{S + k}\, \mathrm{softmax}(V_k U_k x)_{y - l_k}`,
    derivative: String.raw`W^\top (p - \delta_{y}) + U_k^\top V_k^\top (p^{(k)} - \delta_{y - l_k})`,
    range: String.raw`[0, \infty)`,
    shapes:
      'input [N, in] or [in], target (int32) [N] or a scalar; output: the shape of target, loss: a scalar',
    torch: 'AdaptiveLogSoftmaxWithLoss',
    cite: 'Grave, Joulin, Cissé, Grangier & Jégou 2017, Efficient softmax approximation for GPUs',
    use: 'For vocabularies of 10⁵ words and more, of which a few are very frequent (a Zipf distribution). Sort the classes from frequent to rare; otherwise it costs more than a full softmax. Rare classes have fewer features, so it learns them less well.',
  },
  prepare: (device: Device, dtype: FloatDType) => {
    const leaf = (...shape: number[]): Tensor =>
      fromHost(encode(dtype, new Float32Array(shape[0] ?? 0)), shape, dtype, device, true);
    const target = fromHost(Int32Array.of(1), [1], 'int32', device);
    for (const reduction of REDUCTIONS) {
      const tail: TailWeights = [leaf(1, 1), leaf(1, 1)];
      const loss = apply(leaf(1, 1), target, leaf(2, 1), [tail], { reduction });
      loss.backward(loss.size === 1 && reduction !== 'none' ? undefined : loss.detach());
    }
  },
});

/** Options of `nn.AdaptiveLogSoftmaxWithLoss`. */
export interface AdaptiveLogSoftmaxModuleOptions {
  /** The factor by which each cluster has fewer features than the previous cluster. Defaults to 4. */
  divValue?: number;
  /** Whether the head has a bias. Defaults to false. */
  headBias?: boolean;
  /** Defaults to the device of the latest `init()`. */
  device?: Device;
  /** Defaults to `'float32'`. */
  dtype?: FloatDType;
}

/** What `forward` returns. */
export interface AdaptiveLogSoftmaxResult {
  /** The log-probability of each row's class. */
  readonly output: Tensor;
  /** The negative mean of these log-probabilities. */
  readonly loss: Tensor;
}

/**
 * `adaptiveLogSoftmaxWithLoss` as a module with its weights, under PyTorch's names: `head.weight`, `head.bias`,
 * `tail.<k>.0.weight` and `tail.<k>.1.weight`. `cutoffs`: the first class of each cluster, rising, below `nClasses`.
 */
export class AdaptiveLogSoftmaxWithLoss extends Module<AdaptiveLogSoftmaxResult> {
  /** The scores of frequent classes and of clusters. */
  readonly head: Linear;
  /** Two layers for each cluster. */
  readonly tail: Sequential;
  readonly #tails: readonly (readonly [Linear, Linear])[];

  constructor(
    inFeatures: number,
    nClasses: number,
    cutoffs: readonly number[],
    options: AdaptiveLogSoftmaxModuleOptions = {},
  ) {
    super();
    const op = 'AdaptiveLogSoftmaxWithLoss';
    checkOptionNames(op, options, ['divValue', 'headBias', 'device', 'dtype']);
    const { divValue = 4, headBias = false } = options;
    const { device = currentDevice(), dtype = 'float32' } = options;
    checkNumber(op, 'inFeatures', inFeatures, { min: 1, integer: true });
    checkNumber(op, 'nClasses', nClasses, { min: 2, integer: true });
    checkNumber(op, 'divValue', divValue, { min: 0, above: true });
    checkBoolean(op, 'headBias', headBias);
    checkPlacement(op, device, dtype);
    const bounds = checkCutoffs(op, cutoffs, nClasses);
    const widths = cutoffs.map((_, k) => floorDivide(inFeatures, divValue ** (k + 1)));
    if (widths.some((width) => width < 1)) {
      throw new OptionError({
        op,
        argument: 'divValue',
        expected: `at least one feature for each cluster of ${inFeatures}`,
        received: String(divValue),
      });
    }
    const common = { device, dtype };
    const [shortlist = 0] = bounds;
    this.head = this.child(
      'head',
      new Linear(inFeatures, shortlist + cutoffs.length, { bias: headBias, ...common }),
    );
    this.#tails = widths.map((width, k) => [
      new Linear(inFeatures, width, { bias: false, ...common }),
      new Linear(width, (bounds[k + 1] ?? 0) - (bounds[k] ?? 0), { bias: false, ...common }),
    ]);
    this.tail = this.child(
      'tail',
      new Sequential(...this.#tails.map((pair) => new Sequential(...pair))),
    );
  }

  /** For input [N, in] or [in] and int32 target [N] or a scalar: the log-probabilities of the targets, and the loss. */
  override forward(input: Tensor, target: Tensor): AdaptiveLogSoftmaxResult {
    const layers = this.#layers();
    checkLayers(NAME, input, layers);
    checkTarget(NAME, input, target, layers);
    const { dtype } = input;
    const { shape } = target;
    return scope(() => {
      const outputOf = (losses: Tensor): Tensor =>
        castRecorded(reshape(mul(losses, -1), shape), dtype);
      const [loss, output] = gradientsInForward(
        adaptiveCall(NAME, input, target, layers, (losses) => [
          castRecorded(mean(losses), dtype),
          outputOf(losses),
        ]),
      );
      if (!output) throw new RangeError('no result');
      // Training uses the loss. The gradients of the outputs are rarely needed, so they are not kept.
      const call = adaptiveCall(NAME, input, target, layers, (losses) => [outputOf(losses)]);
      return { loss, output: gradientsInBackward(output, call) };
    });
  }

  /** Log-probabilities of all classes: [N, nClasses], or [nClasses] of one row. */
  logProb(input: Tensor): Tensor {
    const layers = this.#layers();
    checkLayers(NAME, input, layers);
    return scope(() => {
      const all = allLogProbs(input, layers);
      const shaped = input.rank === 1 ? reshape(all, [all.size]) : all;
      return castRecorded(shaped, input.dtype);
    });
  }

  /** The most probable class of each row, int32 [N] or a scalar. */
  predict(input: Tensor): Tensor {
    const layers = this.#layers();
    checkLayers(NAME, input, layers);
    return noGrad(() =>
      scope(() => {
        const all = allLogProbs(input, layers);
        return reshape(argmax(all, { dim: 1 }), input.shape.slice(0, -1));
      }),
    );
  }

  #layers(): AdaptiveLayers {
    return {
      headWeight: this.head.weight,
      headBias: this.head.bias ?? undefined,
      tailWeights: this.#tails.map(([first, second]) => [first.weight, second.weight]),
    };
  }
}

function allLogProbs(input: Tensor, layers: AdaptiveLayers): Tensor {
  const { x, wide } = prepared(input, layers);
  return adaptiveLogProbs(NAME, x, wide);
}

/**
 * The quotient as Python's `//` computes it, for the number of features of a cluster. For 1 and 0.1 it is 9, because
 * the float64 nearest to 0.1 is slightly larger than 0.1.
 */
function floorDivide(a: number, b: number): number {
  return Math.round((a - (a % b)) / b);
}
