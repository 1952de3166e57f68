// Takes golden cases and a device, and gives one check per case, forward and gradients held to the rule of
// test/golden/README.md. Free of any test runner: test/suites.ts registers the checks with vitest, test/deno/suite.ts runs
// them as they are.
import { catalog } from '../src/catalog.ts';
import * as nonlin from '../src/index.ts';
import { NonlinError, Tensor, tensor, type Device } from '../src/index.ts';
import { sizeOf } from '../src/core/shape.ts';
import { ensure, ensureEqual, ensureThrows, type Check } from './check.ts';
import {
  camelCase,
  decodeTensor,
  goldenFiles,
  type EncodedTensor,
  type GoldenCase,
  type GoldenFile,
} from './golden.ts';
import { classOf, isSubnormal, largest, roundHalf, SMALLEST_NORMAL, ulp32 } from './ulp.ts';

type Op = (...args: unknown[]) => unknown;

/** What each op declares, also where the ops under test are a package whose build left that out. */
const declared = new Map(catalog.map((info) => [info.op, info]));
/** Ops whose kernels are others on a hardware adapter: rows shared by a workgroup, sums of more partial ones. */
export const ADAPTIVE: readonly string[] = [
  'softmax',
  'log_softmax',
  'layer_norm',
  'rms_norm',
  'group_norm',
  'instance_norm',
  'batch_norm',
  'nll_loss',
  'cross_entropy',
  'focal_loss',
  'poly_loss',
  'generalized_cross_entropy',
  'arc_face_loss',
  'cos_face_loss',
  'linear_cross_entropy',
  'mse_loss',
  'multi_margin_loss',
  'multilabel_margin_loss',
  'multilabel_soft_margin_loss',
  'adaptive_log_softmax_with_loss',
  'cosine_embedding_loss',
  'triplet_margin_loss',
  'ctc_loss',
  'softmax_hard',
  'log_softmax_hard',
  'softmin_hard',
  'softmax_masked',
  'log_softmax_masked',
  'cross_entropy_hard',
  'nll_loss_hard',
  'scaled_dot_product_attention',
  'multihead_attention',
  'clip_loss',
  'sig_lip_loss',
  'info_nce_loss',
  'nt_xent_loss',
  'sup_con_loss',
  'contrastive_loss',
];
/** Modules of several ops, by the op whose bounds hold for them. Each of their ops rounds its result to float16. */
const MODULES: Readonly<Record<string, string>> = {
  multihead_attention: 'scaledDotProductAttention',
};
/** Inputs that PyTorch may leave out: options here, by the names below. */
const OPTIONAL = [
  'weight',
  'pos_weight',
  'linear_bias',
  'bias',
  'attn_mask',
  'sinks',
  'mask',
  'running_mean',
  'running_var',
  'logit_scale',
  'logit_bias',
  'negatives',
  'ref_log_probs',
  'where',
];
/** Ops whose weight is required. */
const WEIGHED = ['prelu', 'embedding'];
/** Attributes that come after the tensors. */
const POSITIONAL = ['normalized_shape', 'num_groups', 'size', 'var'];
/** Attributes that have other names here, by op. */
const RENAMED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  softshrink: { bias: 'offset' },
};

/** What a call gave: elements, and gradients by input. */
export interface Computed {
  readonly out: ArrayLike<number>;
  readonly grads: Readonly<Record<string, ArrayLike<number>>>;
}

/** The exported function of a PyTorch operation. */
function lookUp(op: string): Op {
  const name = camelCase(op);
  const fn: unknown = Reflect.get(nonlin, name);
  if (typeof fn !== 'function') throw new Error(`no function ${name} is exported for ${op}.json`);
  return fn as Op;
}

/** What is used of `nn.AdaptiveLogSoftmaxWithLoss`. */
interface AdaptiveModule extends nonlin.nn.Module<unknown> {
  forward(input: Tensor, target?: Tensor): { readonly output: Tensor; readonly loss: Tensor };
  logProb(input: Tensor): Tensor;
}

/** A module in PyTorch: every input but the positional ones is its state, which takes their place in `inputs`. */
function prepareAdaptive({ attributes }: GoldenCase, inputs: Map<string, Tensor>): () => Tensor {
  const Class: unknown = Reflect.get(nonlin.nn, 'AdaptiveLogSoftmaxWithLoss');
  if (typeof Class !== 'function') throw new Error('no nn.AdaptiveLogSoftmaxWithLoss is exported');
  const { in_features, n_classes, cutoffs, div_value, head_bias, returns } = attributes;
  const { input, target, ...state } = Object.fromEntries(inputs);
  if (!input) throw new Error('no input');
  const { device, dtype } = input;
  const module = Reflect.construct(Class, [
    in_features,
    n_classes,
    cutoffs,
    { divValue: div_value, headBias: head_bias, device, dtype },
  ]) as AdaptiveModule;
  module.loadStateDict(state);
  for (const [name, parameter] of module.namedParameters()) inputs.set(name, parameter);
  return () => {
    if (returns === 'log_prob') return module.logProb(input);
    const { output, loss } = module.forward(input, target);
    return returns === 'loss' ? loss : output;
  };
}

/** A module whose other inputs are its state, or options of the call. */
function prepareMultihead({ attributes }: GoldenCase, inputs: Map<string, Tensor>): () => Tensor {
  const { query, key, value, attn_mask, key_padding_mask, ...state } = Object.fromEntries(inputs);
  if (!query || !key || !value) throw new Error('no query, key and value');
  const { embed_dim, num_heads, returns, ...rest } = attributes;
  const options = Object.entries(rest).map(([name, given]) => [camelCase(name), given] as const);
  const CALL = ['needWeights', 'averageAttnWeights', 'isCausal'];
  const { device, dtype } = query;
  const made = Object.fromEntries(options.filter(([name]) => !CALL.includes(name)));
  const module = new nonlin.nn.MultiheadAttention(Number(embed_dim), Number(num_heads), {
    ...made,
    device,
    dtype: dtype === 'float16' ? dtype : 'float32',
  });
  module.loadStateDict(state);
  for (const [name, parameter] of module.namedParameters()) inputs.set(name, parameter);
  const called = {
    ...Object.fromEntries(options.filter(([name]) => CALL.includes(name))),
    ...(attn_mask ? { attnMask: attn_mask } : {}),
    ...(key_padding_mask ? { keyPaddingMask: key_padding_mask } : {}),
  };
  return () => {
    const { output, weights } = module.forward(query, key, value, called);
    if (returns !== 'weights') return output;
    if (!weights) throw new Error('no weights');
    return weights;
  };
}

/** The call of a case, ready to run: required tensors in order, optional ones and attributes as options. */
function prepare(op: string, golden: GoldenCase, inputs: Map<string, Tensor>): () => Tensor {
  if (op === 'adaptive_log_softmax_with_loss') return prepareAdaptive(golden, inputs);
  if (op === 'multihead_attention') return prepareMultihead(golden, inputs);
  const { returns, ...attributes } = golden.attributes;
  const options: Record<string, unknown> = {};
  const rest: unknown[] = [];
  for (const [name, written] of Object.entries(attributes)) {
    const value = written === 'inf' ? Infinity : written;
    if (POSITIONAL.includes(name)) rest.push(value);
    else options[RENAMED[op]?.[name] ?? camelCase(name)] = value;
  }
  const positional: Tensor[] = [];
  for (const [name, input] of inputs) {
    if (OPTIONAL.includes(name) && !WEIGHED.includes(op)) options[camelCase(name)] = input;
    else positional.push(input);
  }
  const fn = lookUp(op);
  return () => {
    const last = Object.keys(options).length > 0 ? [options] : [];
    const out = fn(...positional, ...rest, ...last);
    if (!(out instanceof Tensor)) throw new Error(`${op} returned no tensor`);
    // A statistic that the call moves.
    const instead = typeof returns === 'string' ? inputs.get(returns) : undefined;
    return instead ?? out;
  };
}

interface Treatment {
  readonly dtype: 'float32' | 'float16';
  /** Applied to every float input before it is stored. */
  readonly map?: (value: number) => number;
}

function upload(encoded: EncodedTensor, device: Device, { dtype, map }: Treatment): Tensor {
  const values = decodeTensor(encoded);
  const { shape } = encoded;
  // Masks are int32 here.
  if (encoded.dtype === 'int32' || encoded.dtype === 'uint8')
    return tensor(values, { shape, dtype: 'int32', device });
  return tensor(map ? values.map(map) : values, { shape, dtype, device });
}

/** Runs a case forward and, where it has gradients, backward. Nothing stays allocated. */
async function compute(
  op: string,
  golden: GoldenCase,
  device: Device,
  treatment: Treatment = { dtype: 'float32' },
): Promise<Computed> {
  const wanted = Object.keys(golden.grads ?? {});
  const kept: Tensor[] = [];
  try {
    const results = nonlin.scope(() => {
      const inputs = new Map<string, Tensor>();
      for (const [name, encoded] of Object.entries(golden.inputs)) {
        const input = upload(encoded, device, treatment);
        if (wanted.includes(name)) input.requiresGrad = true;
        inputs.set(name, input);
      }
      const out = prepare(op, golden, inputs)();
      kept.push(out);
      if (wanted.length > 0 && golden.grad_output) {
        out.backward(upload(golden.grad_output, device, treatment));
      }
      const grads = wanted.map((name): [string, Tensor] => {
        const input = inputs.get(name);
        if (!input?.grad) throw new Error(`no gradient for ${name}`);
        kept.push(input.grad);
        ensureEqual(input.grad.shape, input.shape, `shape of the gradient of ${name}`);
        ensureEqual(input.grad.dtype, input.dtype, `dtype of the gradient of ${name}`);
        return [name, input.grad];
      });
      return { out, grads };
    });
    ensureEqual(results.out.shape, golden.outputs?.out.shape, 'shape of the result');
    ensureEqual(results.out.dtype, treatment.dtype, 'dtype of the result');
    // All at once: a read may take as long as an implementation waits between its polls.
    const [out, ...read] = await Promise.all([
      results.out.data(),
      ...results.grads.map(([, grad]) => grad.data()),
    ]);
    const grads = Object.fromEntries(
      results.grads.map(([name], i): [string, ArrayLike<number>] => [name, read[i] ?? []]),
    );
    return { out, grads };
  } finally {
    for (const one of kept) one.dispose();
  }
}

interface Tolerance {
  readonly ulps: number;
  readonly absolute: number;
}

/** What a sum of several elements may be off by more than each of them, in ULP. */
const OF_SUM = 4;
/** No more ULP than these, whatever an op declares: that holds for other values than the golden cases have. */
const MOST_ULPS = 8;

/** N and A of the rule, without the allowance for flushed subnormals. `key`: `out` or an input's name. */
export function tolerance(op: string, golden: GoldenCase, key: string): Tolerance {
  const info = declared.get(MODULES[op] ?? camelCase(op));
  if (!info) throw new Error(`nothing is declared for ${op}`);
  const { kind, accuracy } = info;
  const bound = key === 'out' ? accuracy.forward : accuracy.backward;
  const sums =
    key === 'out'
      ? kind === 'loss' && golden.attributes.reduction !== 'none'
      : isSummed(golden, key);
  // One rounding, of nothing that cancels: nothing else can be off, in PyTorch's float32 neither. A loss subtracts, from margins
  // that are rounded to float32 first, and its gradient has the factor of the mean.
  if (bound <= 1 && !sums && kind !== 'loss') return { ulps: bound, absolute: 0 };
  const { expected, torch } = expectedOf(golden, key);
  let m = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs((torch[i] ?? NaN) - (expected[i] ?? NaN));
    if (difference > m && difference < Infinity) m = difference;
  }
  const s = key === 'out' ? 1 : largest(golden.grad_output ? decodeTensor(golden.grad_output) : []);
  const ulps = Math.min(MOST_ULPS, bound + (sums ? OF_SUM : 0));
  const noise = golden.noise?.[key === 'out' ? 'out' : `grads.${key}`];
  if (noise === undefined) return { ulps, absolute: 2 ** -22 * s + 2 * m };
  const most = largest(expected);
  const size = most === 0 ? s : Math.min(s, most);
  return { ulps, absolute: 2 ** -22 * size + (golden.strict ? 0 : 2 * m) + 4 * noise };
}

/** Whether the elements of an input's gradient are sums, along what was broadcast. */
function isSummed({ inputs, grad_output, tags }: GoldenCase, key: string): boolean {
  const [own, upstream] = [inputs[key], grad_output].map((t) => sizeOf(t?.shape ?? []));
  return tags.includes('broadcast') || (own ?? 0) < (upstream ?? 0);
}

/**
 * PyTorch's `soft_margin_loss`, log(1 + exp(-y x)), overflows where the loss is finite. This is what it is without that:
 * the result, or the gradient of `input`.
 */
function softMargin(golden: GoldenCase, key: string): Float64Array {
  const { input, target } = golden.inputs;
  if (!input || !target || !golden.grad_output) throw new Error(`${golden.id}: not a loss`);
  const [x, y, upstream] = [input, target, golden.grad_output].map(decodeTensor);
  const { reduction = 'mean' } = golden.attributes;
  const count = reduction === 'mean' ? (x?.length ?? 0) : 1;
  const terms = Float64Array.from(x ?? [], (value, i) => {
    const label = y?.[i] ?? NaN;
    const z = -label * value;
    if (key === 'out') return (Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)))) / count;
    // At an infinity itself as PyTorch, which has Inf / Inf.
    if (z === Infinity) return NaN;
    const above = upstream?.[reduction === 'none' ? i : 0] ?? NaN;
    return (above * -label) / (1 + Math.exp(-z)) / count;
  });
  return key === 'out' && reduction !== 'none'
    ? Float64Array.of(terms.reduce((a, b) => a + b, 0))
    : terms;
}

/** What is expected of a result or gradient, in float64 and as PyTorch gives it in float32. */
function expectedOf(
  golden: GoldenCase,
  key: string,
): { expected: Float64Array; torch: Float64Array } {
  const overflows = golden.tags.some((tag) => ['extreme', 'wide', 'special'].includes(tag));
  if (overflows && golden.id.startsWith('soft_margin_loss-')) {
    const better = softMargin(golden, key);
    return { expected: better, torch: better.map(Math.fround) };
  }
  const encoded = key === 'out' ? golden.outputs?.out : golden.grads?.[key];
  const torch = key === 'out' ? golden.torch_f32?.out : golden.torch_f32_grads?.[key];
  if (!encoded) throw new Error(`${golden.id}: nothing expected of ${key}`);
  const expected = decodeTensor(encoded);
  // Long ones come without.
  return { expected, torch: torch ? decodeTensor(torch) : expected.map(Math.fround) };
}

/** Rule 2 and 3 for one element: `value` against `e`, or against PyTorch's float32 `f` where they are not both finite. */
export function accepts(
  value: number,
  e: number,
  f: number,
  { ulps, absolute }: Tolerance,
): boolean {
  const matches = (expected: number): boolean => {
    const rounded = Math.fround(expected);
    if (classOf(rounded) !== 'finite') return classOf(value) === classOf(rounded);
    return Math.abs(value - expected) <= ulps * ulp32(expected) + absolute;
  };
  return matches(e) || (classOf(Math.fround(e)) !== classOf(f) && matches(f));
}

const SHOWN = 8;

/** The elements of a result or gradient that are not as expected, for people. */
function mismatches(
  op: string,
  golden: GoldenCase,
  key: string,
  computed: ArrayLike<number>,
  flush: Computed | null,
  mayFlush: boolean,
): string[] {
  const { expected, torch } = expectedOf(golden, key);
  const rule = tolerance(op, golden, key);
  // A result may be subnormal where no input is.
  const allowed = mayFlush ? { ...rule, absolute: rule.absolute + SMALLEST_NORMAL } : rule;
  const flushed = key === 'out' ? flush?.out : flush?.grads[key];
  const skipped = new Set(golden.unspecified?.[key === 'out' ? 'out' : `grads.${key}`]);
  const wrong: string[] = [];
  if (computed.length !== expected.length) wrong.push(`${computed.length} elements`);
  expected.forEach((e, i) => {
    const value = computed[i] ?? NaN;
    if (skipped.has(i) || accepts(value, e, torch[i] ?? NaN, allowed)) return;
    const instead = flushed?.[i];
    if (instead !== undefined && accepts(value, instead, instead, allowed)) return;
    const off = Math.abs(value - e) / ulp32(e);
    wrong.push(
      `${key}[${i}] = ${value}, expected ${e} (${off.toPrecision(3)} ulp off, ` +
        `allowed ${allowed.ulps} ulp + ${allowed.absolute}), torch float32 ${torch[i] ?? NaN}`,
    );
  });
  return wrong.length > SHOWN ? [...wrong.slice(0, SHOWN), `… ${wrong.length} in all`] : wrong;
}

const flushToZero = (x: number): number => (isSubnormal(x) ? 0 * x : x);

/**
 * float16 storage against the CPU device's float64 result of the same, already rounded, inputs: correctly rounded,
 * or one float16 off where the float32 bound reaches across a rounding boundary.
 */
function halfMismatches(
  op: string,
  golden: GoldenCase,
  key: string,
  computed: ArrayLike<number>,
  reference: ArrayLike<number>,
): string[] {
  const { ulps, absolute } = tolerance(op, golden, key);
  const wrong: string[] = [];
  for (let i = 0; i < reference.length; i++) {
    const e = reference[i] ?? NaN;
    const value = computed[i] ?? NaN;
    // The reference itself is rounded to float32: half an ulp more.
    const bound = (ulps + 0.5) * ulp32(e) + absolute;
    const ok =
      classOf(e) === 'finite'
        ? value >= roundHalf(e - bound) && value <= roundHalf(e + bound)
        : classOf(value) === classOf(e);
    if (!ok) wrong.push(`${key}[${i}] = ${value}, expected ${roundHalf(e)} (rounded from ${e})`);
  }
  return wrong.length > SHOWN ? [...wrong.slice(0, SHOWN), `… ${wrong.length} in all`] : wrong;
}

function isPlain({ tags, error }: GoldenCase): boolean {
  return error === undefined && tags.includes('typical') && !tags.includes('nonfinite');
}

/** Devices of a conformance run: the one under test, and a CPU device for what is computed in float64. */
export interface Devices {
  readonly device: Device;
  readonly reference: Device;
}

/** Runs a case and checks that it leaves no memory behind. */
async function leaveNothing<T>(device: Device, run: () => Promise<T>): Promise<T> {
  const before = device.stats().liveBuffers;
  const result = await run();
  ensureEqual(device.stats().liveBuffers, before, 'buffers left behind');
  return result;
}

function checkRefused(op: string, golden: GoldenCase, { device }: Devices): void {
  if (!(op in MODULES)) lookUp(op);
  nonlin.scope(() => {
    const inputs = new Map(
      Object.entries(golden.inputs).map(([name, encoded]) => [
        name,
        upload(encoded, device, { dtype: 'float32' }),
      ]),
    );
    let before = device.stats();
    ensureThrows(() => {
      const run = prepare(op, golden, inputs);
      // A module is there by now, with its weights.
      before = device.stats();
      run();
    }, NonlinError);
    ensureEqual(device.stats(), before, 'what the refused call left behind');
  });
}

async function checkFloat32(op: string, golden: GoldenCase, devices: Devices): Promise<void> {
  const { device, reference } = devices;
  const computed = await leaveNothing(device, () => compute(op, golden, device));
  const mayFlush = device.type === 'webgpu';
  const flush =
    mayFlush && golden.tags.includes('subnormal')
      ? await compute(op, golden, reference, { dtype: 'float32', map: flushToZero })
      : null;
  const wrong = mismatches(op, golden, 'out', computed.out, flush, mayFlush);
  for (const [name, grad] of Object.entries(computed.grads)) {
    wrong.push(...mismatches(op, golden, name, grad, flush, mayFlush));
  }
  ensure(wrong.length === 0, wrong.join('\n'));
}

async function checkFloat16(op: string, golden: GoldenCase, devices: Devices): Promise<void> {
  const { device, reference } = devices;
  const computed = await leaveNothing(device, () =>
    compute(op, golden, device, { dtype: 'float16' }),
  );
  const exact = await compute(op, golden, reference, { dtype: 'float32', map: roundHalf });
  const wrong = halfMismatches(op, golden, 'out', computed.out, exact.out);
  for (const [name, grad] of Object.entries(computed.grads)) {
    wrong.push(...halfMismatches(op, golden, name, grad, exact.grads[name] ?? []));
  }
  ensure(wrong.length === 0, wrong.join('\n'));
}

/** The checks of one golden file: each case in float32 and, for ordinary values, in float16. */
function checksOf({ op: file, op_of: op = file, cases }: GoldenFile): Check<Devices>[] {
  return cases.flatMap((golden): Check<Devices>[] => {
    const { id } = golden;
    if (golden.error !== undefined) {
      return [{ name: `${id} is refused`, run: (devices) => checkRefused(op, golden, devices) }];
    }
    const float32 = { name: id, run: (devices: Devices) => checkFloat32(op, golden, devices) };
    if (!isPlain(golden) || op in MODULES) return [float32];
    const name = `${id} in float16`;
    return [float32, { name, run: (devices) => checkFloat16(op, golden, devices) }];
  });
}

/** The checks of every golden file, by op. */
export const conformanceChecks: ReadonlyMap<string, readonly Check<Devices>[]> = new Map(
  goldenFiles.map((file) => [file.op, checksOf(file)]),
);
