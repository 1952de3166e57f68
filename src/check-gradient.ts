// Checks that the backward of an activation or a pointwise loss is the derivative of its forward, by differences in
// float64, and that the GPU computes what the float64 functions say.
import { currentDevice } from './core/current.ts';
import type { Activation } from './define/activation.ts';
import type { AnyLoss } from './define/loss-types.ts';
import type { OpInfo } from './define/op.ts';
import type { ParamOptions, ParamSpecs, ParamsOf } from './define/params.ts';
import type { Device } from './core/device.ts';
import { scope } from './core/scope.ts';
import { fromHost, type Tensor } from './core/tensor.ts';

/** Options of `checkGradient`. */
export interface GradientCheckOptions<S extends ParamSpecs = ParamSpecs> {
  /** The op's own options. */
  options?: ParamOptions<S>;
  /** Where results are compared with float64; defaults to the device of the latest `init()`. A CPU device checks nothing. */
  device?: Device;
  /** Where to look. Defaults to 1,500 points, from ±1e-4 to ±100, dense round 0. */
  points?: readonly number[];
  /** Largest error relative to the derivative. Defaults to 1e-6. */
  tolerance?: number;
  /** Largest difference in ULP between GPU and float64. Defaults to the declared accuracy, or 1024 (or 1e-6) without one. */
  ulp?: number;
}

/** A disagreement and where it is; `at` is NaN where there is none. */
export interface GradientDeviation {
  /** The largest deviation. */
  readonly worst: number;
  /** The input; of a loss, the one that was varied. */
  readonly at: number;
  readonly got: number;
  readonly want: number;
}

export interface GradientCheck extends GradientDeviation {
  /** Whether the derivative and, where there was a GPU, its results are within bounds. */
  readonly ok: boolean;
  /** Points without a derivative, which are left out: one-sided differences disagree there, or `forward` is not finite. */
  readonly kinks: readonly number[];
  /** Largest differences in ULP, or null without a GPU. */
  readonly gpu: {
    readonly ok: boolean;
    readonly forward: GradientDeviation;
    readonly backward: GradientDeviation;
  } | null;
}

/** A function of one number: a whole activation, or a loss with its other arguments held. */
interface Slice {
  readonly value: (x: number) => number;
  /** The op's own derivative, times an upstream gradient. */
  readonly gradient: (x: number, gradOutput: number) => number;
  /** The same on a device. */
  readonly run: (x: Tensor) => Tensor;
  /** Whether the op takes x. */
  readonly contains: (x: number) => boolean;
  /** Magnitudes of the largest terms. */
  readonly terms: (x: number) => { readonly value: number; readonly gradient: number };
}

/** The fixed values of the other arguments of a loss, and of its weights. */
const HELD = [-1.5, -1, 0, 0.3, 1];
const WEIGHT = 0.75;
/** Not 1, so that a backward that forgets its upstream gradient is found. */
const UPSTREAM = 1.5;
const NONE: GradientDeviation = { worst: 0, at: NaN, got: NaN, want: NaN };

/**
 * Compares the `backward` of an activation (or pointwise loss) with differences of its `forward`, in float64, and a GPU's
 * results with both. It reports and does not throw: `ok` says whether all is well, `worst` and `at` what is not.
 *
 * @example (await checkGradient(gelu)).ok
 * @throws `OptionError` for options that `op` does not have.
 */
export async function checkGradient<S extends ParamSpecs>(
  op: Activation<S> | AnyLoss<S>,
  settings: GradientCheckOptions<S> = {},
): Promise<GradientCheck> {
  const { points = defaultPoints(), tolerance = 1e-6, device = currentDevice() } = settings;
  const slices = slicesOf(op, settings.options ?? ({} as ParamOptions<S>), device);
  let worst = NONE;
  const kinks = new Set<number>();
  let checked = 0;
  for (const slice of slices) {
    for (const x of points) {
      if (!slice.contains(x)) continue;
      const found = compare(slice, x);
      if (found === null) {
        kinks.add(x);
        continue;
      }
      checked++;
      if (!(found.worst <= worst.worst)) worst = found;
    }
  }
  const gpu = device.gpuDevice
    ? await compareDevice(op, slices, points, device, settings.ulp)
    : null;
  const ok = worst.worst <= tolerance && checked > 0 && (gpu?.ok ?? true);
  return { ok, ...worst, kinks: [...kinks].sort((a, b) => a - b), gpu };
}

function defaultPoints(): number[] {
  const small = Array.from({ length: 400 }, (_, i) => 10 ** (-4 + i / 66.5));
  const even = Array.from({ length: 350 }, (_, i) => 0.0137 + i * 0.0344);
  return [...small, ...even].flatMap((x) => [x, -x]);
}

function slicesOf<S extends ParamSpecs>(
  op: Activation<S> | AnyLoss<S>,
  options: ParamOptions<S>,
  device: Device,
): Slice[] {
  // Rounded to float32, as the GPU receives them.
  const given = Object.fromEntries(
    Object.entries<unknown>(options).map(([k, v]) => [
      k,
      typeof v === 'number' ? Math.fround(v) : v,
    ]),
  ) as ParamOptions<S>;
  if (op.kind === 'activation') {
    const { resolve, forward, backward, largestTerm } = op.epilogue;
    const filled = { ...rounded(standardOf(op) as ParamsOf<S>), ...given };
    const params = rounded(resolve(op.op, filled));
    return [
      {
        value: (x) => forward(x, params),
        gradient: (x, g) => backward(x, g, params),
        run: (x) => op(x, filled),
        contains: () => true,
        terms: (x) => ({ value: 0, gradient: largestTerm ? largestTerm(x, params) : 0 }),
      },
    ];
  }
  return slicesOfLoss(op, given, device);
}

/** A slice along each differentiable input for each choice of the others, without weights and with some. */
function slicesOfLoss<S extends ParamSpecs>(
  { formula, params: defaults }: AnyLoss<S>,
  given: object,
  device: Device,
): Slice[] {
  const { inputs, weights, differentiable, domain, resolve } = formula;
  const options = { ...rounded(defaults), ...given, reduction: 'none' };
  const params = rounded(resolve(options));
  const inside = (name: string, x: number): boolean => {
    const { min, max } = domain[name] ?? { min: -Infinity, max: Infinity };
    return x > min && x < max;
  };
  const constantLike = (x: Tensor, value: number): Tensor =>
    fromHost(new Float32Array(x.size).fill(value), x.shape, 'float32', device);
  const factors = weights.length > 0 ? [1, WEIGHT] : [1];
  return differentiable.flatMap((varied, k) => {
    const at = inputs.indexOf(varied);
    const choices = inputs.reduce<number[][]>(
      (rows, name, i) =>
        rows.flatMap((row) =>
          (i === at ? [0] : HELD.filter((x) => inside(name, x))).map((x) => [
            ...row,
            Math.fround(x),
          ]),
        ),
      [[]],
    );
    return choices.flatMap((held) =>
      factors.map((factor): Slice => {
        const args = (x: number): number[] => [
          ...held.map((value, i) => (i === at ? x : value)),
          ...weights.map(() => factor),
        ];
        return {
          contains: (x) => inside(varied, x),
          value: (x) => formula.forward(args(x), params),
          gradient: (x, g) => formula.backward(args(x), g, params)[k] ?? NaN,
          run: (x) =>
            formula.apply(
              held.map((value, i) => (i === at ? x : constantLike(x, value))),
              factor === 1
                ? options
                : {
                    ...options,
                    ...Object.fromEntries(weights.map((name) => [name, constantLike(x, factor)])),
                  },
            ),
          terms: (x) => {
            const terms = formula.largestTerms(args(x), params);
            return { value: terms[0] ?? 0, gradient: terms[1 + k] ?? 0 };
          },
        };
      }),
    );
  });
}

/** The default options, without those whose default is the value of another option. */
function standardOf({ params, specs = {} }: OpInfo): object {
  return Object.fromEntries(
    Object.entries(params).filter(([name]) => {
      const spec = specs[name];
      return !(typeof spec === 'object' && 'like' in spec);
    }),
  );
}

function rounded<P extends object>(params: P): P {
  return Object.fromEntries(
    Object.entries(params).map(([k, v]: [string, unknown]) => [
      k,
      typeof v === 'number' ? Math.fround(v) : v,
    ]),
  ) as P;
}

/** The error of the derivative at x relative to its size, or null where there is none. */
function compare({ value, gradient }: Slice, x: number): GradientDeviation | null {
  const h = 1e-3 * Math.min(Math.max(Math.abs(x), 1e-3), 1);
  const f = (k: number): number => value(x + k * h);
  const slope = (k: number): number => (f(k) - f(-k)) / (2 * k * h);
  // Richardson: two central differences, the h² term gone.
  const [near, far] = [slope(0.5), slope(1)];
  const want = (4 * near - far) / 3;
  // How far off a difference may be: more where the curvature jumps nearby.
  const doubt = Math.abs(near - far);
  const side = (s: number): number => (s * (4 * f(s) - 3 * f(0) - f(2 * s))) / (2 * h);
  const size = Math.max(1, Math.abs(f(1)), Math.abs(f(-1)));
  // How much rounding adds to a difference: formulas may go through numbers near 1.
  const noise = (2 ** -48 * size) / h;
  const apart = Math.abs(side(1) - side(-1));
  if (!(apart <= 1e-4 * Math.max(Math.abs(want), 1e-2 * size) + 8 * noise)) return null;
  const got = gradient(x, UPSTREAM) / UPSTREAM;
  const off = Math.max(0, Math.abs(got - want) - noise - doubt);
  const worst = off === 0 ? 0 : off / Math.max(Math.abs(want), Math.abs(got));
  return { worst: Number.isNaN(worst) ? Infinity : worst, at: x, got, want };
}

/** Slices that are read together: a GPU takes longer to answer than to compute one. */
const AT_ONCE = 16;

/** What a device makes of a slice. */
interface Computed {
  readonly points: readonly number[];
  readonly results: ArrayLike<number>;
  readonly grads: ArrayLike<number>;
}

async function compute(
  { run, contains }: Slice,
  all: readonly number[],
  device: Device,
): Promise<Computed> {
  const points = Float32Array.from(all.filter(contains));
  const x = fromHost(points, [points.length], 'float32', device, true);
  const out = scope(() => run(x));
  out.backward(
    fromHost(new Float32Array(points.length).fill(UPSTREAM), out.shape, 'float32', device),
  );
  const grad = x.grad;
  const [results, grads] = await Promise.all([out.data(), grad ? grad.data() : []]);
  for (const tensor of [x, out, grad]) tensor?.dispose();
  return { points: [...points], results, grads };
}

async function compareDevice<S extends ParamSpecs>(
  op: Activation<S> | AnyLoss<S>,
  slices: readonly Slice[],
  all: readonly number[],
  device: Device,
  ulp: number | undefined,
): Promise<NonNullable<GradientCheck['gpu']>> {
  let [forward, backward] = [NONE, NONE];
  // Without a stated accuracy, an absolute error that float32 makes of numbers round 1 passes.
  const slack = op.accuracy || ulp !== undefined ? 0 : 1e-6;
  const computed: Computed[] = [];
  for (const [k, { value, gradient, terms }] of slices.entries()) {
    if (k % AT_ONCE === 0) {
      const next = slices.slice(k, k + AT_ONCE);
      computed.push(...(await Promise.all(next.map((slice) => compute(slice, all, device)))));
    }
    const { points = [], results = [], grads = [] } = computed[k] ?? {};
    points.forEach((at, i) => {
      const y = deviation(at, results[i], value(at), terms(at).value, slack);
      const g = deviation(
        at,
        grads[i],
        gradient(at, UPSTREAM),
        terms(at).gradient * UPSTREAM,
        slack,
      );
      if (y.worst > forward.worst) forward = y;
      if (g.worst > backward.worst) backward = g;
    });
  }
  const bound = op.accuracy ?? { forward: 1024, backward: 1024 };
  const ok = forward.worst <= (ulp ?? bound.forward) && backward.worst <= (ulp ?? bound.backward);
  return { ok, forward, backward };
}

function deviation(
  at: number,
  got = NaN,
  want: number,
  term: number,
  slack: number,
): GradientDeviation {
  const right = Math.fround(want);
  if (Object.is(got, right) || got === right) return { worst: 0, at, got, want };
  const off = Math.abs(got - want);
  // Subnormals, of results or on the way to them, may be flushed.
  if (off <= slack || off < 2 ** -124) return { worst: 0, at, got, want };
  const exponent = Math.floor(Math.log2(Math.max(Math.abs(want), Math.abs(term))));
  const worst = off / 2 ** (Math.max(exponent, -126) - 23);
  return { worst: Number.isNaN(worst) ? Infinity : worst, at, got, want };
}
