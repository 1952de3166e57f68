// Takes what was measured on an adapter, and gives it as JSON, as an address's parameters, and as a headline; and back
// from an address.
import { formatUlp } from '../accuracy/summary.ts';
import { formatBandwidth, parseBandwidth, type Bandwidth } from './bandwidth.ts';

/** Of an op's results over all powers of two, both signs. */
export interface OpErrors {
  /** The largest error in ULP that is a number. */
  readonly ulp: number;
  /** The share of inputs whose result is NaN or infinite where it should be a number, or the other way round. */
  readonly wrong: number;
}

export interface OpResult {
  readonly op: string;
  readonly builtin: OpErrors;
  readonly nonlin: OpErrors;
}

export interface GpuResult {
  readonly format: 'nonlin-gpu/1';
  readonly adapter: string;
  readonly browser: string;
  /** The day, as 2026-11-30. */
  readonly date: string;
  /** Random inputs per sign and power of two. */
  readonly samples: number;
  readonly results: readonly OpResult[];
  /** Older results have none. */
  readonly bandwidth?: Bandwidth;
}

export const FORMAT = 'nonlin-gpu/1';

/** What an address holds: `tanh:1680:0.48:0.6:0` for each op. */
export function paramsOf(result: GpuResult): Record<string, string> {
  const { adapter, browser, date, samples, results, bandwidth } = result;
  const r = results
    .map(({ op, builtin, nonlin }) =>
      [op, ...[builtin, nonlin].flatMap(({ ulp, wrong }) => [short(ulp), short(wrong)])].join(':'),
    )
    .join(',');
  const bw = bandwidth && formatBandwidth(bandwidth);
  return { adapter, browser, date, samples: String(samples), r, ...(bw ? { bw } : {}) };
}

/** Undefined where the address holds none, or one that cannot be. */
export function resultOf(params: URLSearchParams): GpuResult | undefined {
  const text = params.get('r');
  if (text === null) return undefined;
  const results = text.split(',').flatMap((part): OpResult[] => {
    const [op = '', ...numbers] = part.split(':');
    const [a = NaN, b = NaN, c = NaN, d = NaN] = numbers.map(Number);
    const sound = [a, b, c, d].every((value) => value >= 0) && b <= 1 && d <= 1;
    if (!/^[a-zA-Z]\w{0,40}$/.test(op) || !sound) return [];
    return [{ op, builtin: { ulp: a, wrong: b }, nonlin: { ulp: c, wrong: d } }];
  });
  if (results.length === 0) return undefined;
  const bandwidth = parseBandwidth(params.get('bw'));
  const word = (name: string) => (params.get(name) ?? '').slice(0, 120);
  return {
    format: FORMAT,
    adapter: word('adapter'),
    browser: word('browser'),
    date: word('date'),
    samples: Number(params.get('samples')) || 0,
    results,
    ...(bandwidth ? { bandwidth } : {}),
  };
}

const short = (value: number) => String(Number(value.toPrecision(3)));

/** The furthest off first: wrong NaN and infinities before errors. */
export function byError(results: readonly OpResult[]): OpResult[] {
  return [...results].sort(
    (a, b) => b.builtin.wrong - a.builtin.wrong || b.builtin.ulp - a.builtin.ulp,
  );
}

/** The worst of the built-ins in a sentence, beside ours. */
export function headlineOf({ results }: Pick<GpuResult, 'results'>): string {
  const [first, ...others] = byError(results);
  if (!first) return '';
  // of several that are as wrong the one that everybody knows, which has the shortest name
  const alike = others.filter(
    ({ builtin: { wrong } }) => wrong > 0 && wrong > 0.95 * first.builtin.wrong,
  );
  const worst = [first, ...alike].reduce((a, b) => (b.op.length < a.op.length ? b : a));
  const { op, builtin, nonlin } = worst;
  const theirs =
    builtin.wrong > 0
      ? `wrongly NaN or ∞ for ${percent(builtin.wrong)} of inputs`
      : `off by up to ${formatUlp(builtin.ulp)} ULP`;
  const ours =
    nonlin.wrong > 0
      ? `ours: ${percent(nonlin.wrong)}`
      : `ours is within ${formatUlp(nonlin.ulp)} ULP`;
  return `${op}: ${theirs}; ${ours}`;
}

export const percent = (share: number): string =>
  `${100 * share < 1 ? Number((100 * share).toPrecision(2)) : Math.round(100 * share)} %`;

/** The browser's name and version, which is all of a user agent that tells results apart. */
export function browserOf(userAgent: string): string {
  const found =
    /(?:Edg|Firefox)\/\d+/.exec(userAgent) ??
    /Chrome\/\d+/.exec(userAgent) ??
    /Version\/[\d.]+(?= .*Safari)/.exec(userAgent);
  const name = found?.[0].replace('Edg/', 'Edge ').replace('Version/', 'Safari ');
  const system = /Windows|Mac OS X|Android|CrOS|Linux|iPhone|iPad/.exec(userAgent)?.[0];
  return [name?.replace('/', ' ') ?? 'unknown', system].filter(Boolean).join(', ');
}
