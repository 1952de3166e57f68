// One call of `planOf`: the request, checked, and the tensors that the passes name.
import { describe } from '../core/describe.ts';
import { isDType, type DType } from '../core/dtype.ts';
import { DTypeError, OptionError, ShapeError } from '../core/errors.ts';
import { capabilitiesOf, type AdapterCapabilities, type DeviceLimits } from '../core/kernel.ts';
import { sizeOf, type Shape } from '../core/shape.ts';
import {
  checkBoolean,
  checkHas,
  checkNumber,
  checkOneOf,
  checkOptionNames,
} from '../core/validate-options.ts';
import { boundBytes } from '../gpu/bindings.ts';
import { Pass, type Part } from './pass.ts';
import { hardware, type PlanTuning } from './tunings.ts';
import type { KernelOp, PlannedPass, PlannedTensor } from './types.ts';

/** What every device of WebGPU has at least. */
const DEFAULT_LIMITS: DeviceLimits = {
  maxStorageBufferBindingSize: 2 ** 27,
  maxComputeWorkgroupsPerDimension: 65_535,
  minStorageBufferOffsetAlignment: 256,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupStorageSize: 16_384,
  maxStorageBuffersPerShaderStage: 8,
};

/** A request without its types. */
interface AnyRequest {
  readonly shape?: unknown;
  readonly dtype?: unknown;
  readonly shapes?: Readonly<Record<string, unknown>>;
  readonly dtypes?: Readonly<Record<string, unknown>>;
  readonly options?: object;
  readonly gradients?: unknown;
  readonly fused?: unknown;
  readonly limits?: Readonly<Record<string, unknown>>;
  readonly tuning?: unknown;
  readonly padded?: unknown;
}

const KNOWN = [
  'shape',
  'dtype',
  'shapes',
  'dtypes',
  'options',
  'gradients',
  'fused',
  'limits',
  'tuning',
  'padded',
];

export class Call<O extends object = object> {
  readonly op: string;
  readonly options: Partial<O>;
  readonly caps: AdapterCapabilities;
  readonly codeOf: PlanTuning['codeOf'];
  readonly fused: boolean;
  readonly tensors: Record<string, PlannedTensor> = {};
  readonly #shapes: Readonly<Record<string, unknown>>;
  readonly #dtypes: Readonly<Record<string, unknown>>;
  readonly #dtype: 'float32' | 'float16';
  readonly #first: string;
  readonly #padded: boolean;
  readonly #gradients: readonly string[];

  constructor({ op, inputs, differentiable }: Omit<KernelOp, 'passes'>, request: object) {
    this.op = op;
    checkOptionNames(op, request, KNOWN);
    const { shape, dtype = 'float32', shapes = {}, dtypes = {}, ...rest } = request as AnyRequest;
    const { options = {}, gradients, fused = true, limits = {}, padded = true } = rest;
    const { tuning = hardware } = rest;
    const [first = ''] = inputs;
    checkOneOf(op, 'dtype', dtype, ['float32', 'float16']);
    checkHas(op, 'tuning', tuning, 'codeOf', 'hardware or software of nonlin/kernels');
    checkBoolean(op, 'fused', fused);
    checkBoolean(op, 'padded', padded);
    checkOptionNames(op, shapes, inputs.slice(1));
    checkOptionNames(op, dtypes, inputs.slice(1));
    const wanted: readonly unknown[] = Array.isArray(gradients) ? gradients : [];
    const wrong = wanted.some((name) => !differentiable.includes(String(name)));
    if (wrong || (gradients !== undefined && !Array.isArray(gradients))) {
      const expected = `a list of ${differentiable.join(', ')}`;
      throw new OptionError({ op, argument: 'gradients', expected, received: describe(gradients) });
    }
    this.options = options;
    this.fused = fused;
    this.#dtype = dtype;
    this.#shapes = { ...shapes, [first]: shape };
    this.#dtypes = dtypes;
    this.#first = first;
    this.#padded = padded;
    this.#gradients = gradients === undefined ? differentiable.slice(0, 1) : wanted.map(String);
    const { codeOf, tuning: records } = tuning as PlanTuning;
    this.codeOf = codeOf;
    // A GPUDevice has its limits on a prototype.
    const all = Object.entries(DEFAULT_LIMITS).map(([name, least]) => {
      const value = limits[name] ?? (least as number);
      checkNumber(op, `limits.${name}`, value, { integer: true, min: 1 });
      return [name, value];
    });
    this.caps = capabilitiesOf(Object.fromEntries(all) as DeviceLimits, records);
  }

  /** Checks the names of options. */
  takes(names: readonly string[]): void {
    checkOptionNames(this.op, this.options, names);
  }

  /** Whether an input that may be left out is there. */
  has(name: string): boolean {
    return this.#shapes[name] !== undefined;
  }

  /** Whether an input has no dimensions: a number in memory. */
  isNumber(name: string): boolean {
    const shape = this.#shapes[name];
    return Array.isArray(shape) && shape.length === 0;
  }

  /** Whether an input gets a gradient. */
  wants(name: string): boolean {
    return this.#gradients.includes(name);
  }

  /** The dtype that the request names for an input. */
  dtypeOf(name: string): unknown {
    return this.#dtypes[name];
  }

  /** An input: `shape` where the request does not name one, and one of these dtypes, the first by default. */
  input(name = this.#first, shape?: Shape, dtypes: readonly DType[] = [this.#dtype]): Part {
    const given = this.#shapes[name] ?? shape;
    checkShape(this.op, name === this.#first ? 'shape' : `shapes.${name}`, given);
    const dtype = this.#dtypes[name] ?? dtypes[0];
    if (!isDType(dtype) || !dtypes.includes(dtype)) {
      const expected = dtypes.join(' or ');
      const argument = `dtypes.${name}`;
      throw new DTypeError({ op: this.op, argument, expected, received: describe(dtype) });
    }
    return this.tensor(name, given, dtype);
  }

  /** A result, or what is kept between the passes. */
  tensor(name: string, shape: Shape, dtype: DType): Part {
    const size = sizeOf(shape);
    const part = { name, shape, size, dtype, padded: this.#padded };
    this.tensors[name] = { shape, dtype, bytes: boundBytes(part) };
    return part;
  }

  /** The gradient of a tensor: `gradInput` of `input`. */
  gradOf({ name, shape, dtype }: Part): Part {
    return this.tensor(`grad${name.charAt(0).toUpperCase()}${name.slice(1)}`, shape, dtype);
  }

  /** The launches of one direction, of kernels as `Pass` takes them. */
  pass(add: (pass: Pass) => void): PlannedPass {
    return this.planned(new Pass(this.op, this.caps, this.codeOf), add);
  }

  /** What `add` has added to a pass. */
  planned<P extends PlannedPass & { readonly notes: boolean }>(
    pass: P,
    add: (pass: P) => void,
  ): PlannedPass {
    add(pass);
    if (pass.notes) this.tensors.status = { shape: [4], dtype: 'int32', bytes: 16 };
    const { launches, scratch, reads, writes } = pass;
    return { launches, scratch, reads, writes };
  }
}

function checkShape(op: string, argument: string, shape: unknown): asserts shape is Shape {
  const valid =
    Array.isArray(shape) &&
    Array.from<unknown>(shape).every((d) => Number.isSafeInteger(d) && (d as number) >= 0);
  if (valid) return;
  const expected = 'an array of integers of at least 0';
  throw new ShapeError({ op, argument, expected, received: describe(shape) });
}
