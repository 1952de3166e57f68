// The layers that models are built of: Linear, Sequential, Flatten, Dropout.
import { currentDevice } from '../core/current.ts';
import type { Device } from '../core/device.ts';
import { BYTES, encode, type FloatDType } from '../core/dtype.ts';
import { dropout } from '../math/dropout.ts';
import { linear } from '../math/linear.ts';
import { reshape } from '../math/reshape.ts';
import { allocating } from '../core/memory.ts';
import { nextKey, uniformAt } from '../core/random.ts';
import { undone } from '../core/scope.ts';
import { normalizeDim, sizeOf, type Shape } from '../core/shape.ts';
import { fromHost, type Tensor } from '../core/tensor.ts';
import { checkPlacement } from '../core/validate.ts';
import { checkBoolean, checkNumber, checkOptionNames, isPlain } from '../core/validate-options.ts';
import { namedModules } from './containers.ts';
import { checkIsModule, Module } from './module.ts';

/** Options of `nn.Linear`. */
export interface LinearLayerOptions {
  /** Whether to add a learned bias. Defaults to true. */
  bias?: boolean;
  /** Defaults to the device of the latest `init()`. */
  device?: Device;
  /** Defaults to `'float32'`. */
  dtype?: FloatDType;
}

/** x weightᵀ + bias, with weight [outFeatures, inFeatures] and bias drawn from U(-1/√in, 1/√in) as in PyTorch. */
export class Linear extends Module {
  /** Of shape [outFeatures, inFeatures]. */
  readonly weight: Tensor;
  /** Of shape [outFeatures], or null. */
  readonly bias: Tensor | null;

  constructor(inFeatures: number, outFeatures: number, options: LinearLayerOptions = {}) {
    super();
    checkOptionNames('Linear', options, ['bias', 'device', 'dtype']);
    checkNumber('Linear', 'inFeatures', inFeatures, { min: 1, integer: true });
    checkNumber('Linear', 'outFeatures', outFeatures, { min: 1, integer: true });
    const { bias = true, device = currentDevice(), dtype = 'float32' } = options;
    checkBoolean('Linear', 'bias', bias);
    checkPlacement('Linear', device, dtype);
    const bound = 1 / Math.sqrt(inFeatures);
    const draw = (shape: Shape): Tensor => {
      const bytes = sizeOf(shape) * BYTES[dtype];
      device.checkBytes('Linear', bytes);
      const values = allocating('Linear', bytes, () => encode(dtype, uniform(shape, bound)));
      return fromHost(values, shape, dtype, device);
    };
    const [weight, shift] = undone((): [Tensor, Tensor | null] => [
      draw([outFeatures, inFeatures]),
      bias ? draw([outFeatures]) : null,
    ]);
    this.weight = this.parameter('weight', weight);
    this.bias = shift && this.parameter('bias', shift);
  }

  override forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias ? { bias: this.bias } : {});
  }
}

/** Numbers uniform in [-bound, bound). */
function uniform(shape: Shape, bound: number): Float32Array {
  const key = nextKey();
  return Float32Array.from(
    { length: sizeOf(shape) },
    (_, i) => (2 * uniformAt(key, i) - 1) * bound,
  );
}

/**
 * Modules one after another; children are named 0, 1, … in the state dict, or as in the object or Map that holds them. On a GPU a
 * `Linear` and the elementwise activation behind it are one kernel, with the same results and gradients; in float16 the sums are
 * not rounded before the activation, which is more exact than the two apart.
 *
 * @example
 * new nn.Sequential(new nn.Linear(2, 8), new nn.ReLU()); // 0.weight, 0.bias
 * new nn.Sequential({ fc: new nn.Linear(2, 8), act: new nn.ReLU() }); // fc.weight, fc.bias
 */
export class Sequential extends Module {
  readonly #modules: readonly Module[];

  constructor(modules: Readonly<Record<string, Module>> | ReadonlyMap<string, Module>);
  constructor(...modules: Module[]);
  constructor(
    ...modules: Module[] | [Readonly<Record<string, Module>> | ReadonlyMap<string, Module>]
  ) {
    super();
    const [first] = modules;
    const named =
      modules.length === 1 && (isPlain(first) || first instanceof Map)
        ? namedModules('Sequential', first)
        : modules.map((module, i): [string, unknown] => [String(i), module]);
    this.#modules = named.map(([name, module]) => {
      checkIsModule('Sequential', name, module);
      return this.child(name, module) as Module;
    });
  }

  /** Number of modules. */
  get length(): number {
    return this.#modules.length;
  }

  /** The module at an index, from the end where it is negative. */
  at(index: number): Module | undefined {
    return this.#modules.at(index);
  }

  [Symbol.iterator](): IterableIterator<Module> {
    return this.#modules.values();
  }

  override forward(x: Tensor): Tensor {
    const modules = this.#modules;
    let value = x;
    for (let i = 0; i < modules.length; i++) {
      const module = modules[i];
      if (!module) continue;
      const next = fuse(module, modules[i + 1], value);
      if (next) i++;
      value = next ?? module.forward(value);
    }
    return value;
  }
}

/** What a linear layer and an activation behind it make of x in one kernel, or null: the CPU would not round between the two. */
function fuse(module: Module, next: Module | undefined, x: Tensor): Tensor | null {
  const plain =
    module instanceof Linear &&
    Reflect.get(module, 'forward') === Reflect.get(Linear.prototype, 'forward');
  if (!plain || x.device.type !== 'webgpu') return null;
  const { weight, bias } = module;
  return next?.fused?.((activation) => linear(x, weight, { bias, ...activation })) ?? null;
}

/** Merges dimensions `startDim` (1) to `endDim` (-1) into one. */
export class Flatten extends Module {
  /** The first dimension that is joined. */
  readonly startDim: number;
  /** The last one. */
  readonly endDim: number;

  constructor(
    options: {
      /** The first dimension that is joined; below 0 it counts from the end. Defaults to 1. */
      startDim?: number;
      /** The last one, joined too. Defaults to -1. */
      endDim?: number;
    } = {},
  ) {
    super();
    checkOptionNames('Flatten', options, ['startDim', 'endDim']);
    const { startDim = 1, endDim = -1 } = options;
    checkNumber('Flatten', 'startDim', startDim, { integer: true });
    checkNumber('Flatten', 'endDim', endDim, { integer: true });
    this.startDim = startDim;
    this.endDim = endDim;
  }

  override forward(x: Tensor): Tensor {
    const from = normalizeDim('Flatten', this.startDim, x.rank, 'startDim');
    const to = normalizeDim('Flatten', this.endDim, x.rank, 'endDim') + 1;
    return reshape(x, [
      ...x.shape.slice(0, from),
      sizeOf(x.shape.slice(from, to)),
      ...x.shape.slice(to),
    ]);
  }
}

/** Drops elements with probability `p` (0.5) in training mode, and does nothing in evaluation mode. */
export class Dropout extends Module {
  /** The probability of 0. */
  readonly p: number;

  /** Whether the result is written over the input. */
  readonly inplace: boolean;

  constructor(
    options: {
      /** The probability of 0, from 0 to 1. Defaults to 0.5. */
      p?: number;
      /** Whether the result is written over the input. Defaults to false. */
      inplace?: boolean;
    } = {},
  ) {
    super();
    checkOptionNames('Dropout', options, ['p', 'inplace']);
    this.p = options.p ?? 0.5;
    this.inplace = options.inplace ?? false;
    checkNumber('Dropout', 'p', this.p, { min: 0, max: 1 });
  }

  override forward(x: Tensor): Tensor {
    return dropout(x, { p: this.p, training: this.training, inplace: this.inplace });
  }
}
