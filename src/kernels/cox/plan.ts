// Plans Cox's partial likelihood: a sort by time, sums of exponentials up to each position, and from them losses; from the other
// end sums over events, and from those gradients. The CPU loop is here as well.
import kernelText from '../../../shaders/kernels/cox/cox.wgsl?raw';
import gradientsText from '../../../shaders/kernels/cox/gradients.wgsl?raw';
import lossesText from '../../../shaders/kernels/cox/losses.wgsl?raw';
import scanText from '../../../shaders/kernels/cox/scan.wgsl?raw';
import { at, atOr } from '../../cpu/rows.ts';
import type { NumericArray } from '../../core/dtype.ts';
import {
  foldWorkgroups,
  UniformWriter,
  workgroupSize,
  type Binding,
  type Capabilities,
  type Kernel,
  type Launch,
  type Plan,
} from '../../core/kernel.ts';
import { bits, exp, grid, log } from '../../shader/lib.ts';
import { cachedProgram, source } from '../../shader/link.ts';
import { planSort } from '../embedding/sort.ts';

const kernel = /* @__PURE__ */ source('kernels/cox/cox.wgsl', kernelText, [bits, exp]);
const scanEntry = /* @__PURE__ */ source('kernels/cox/scan.wgsl', scanText);
const lossesEntry = /* @__PURE__ */ source('kernels/cox/losses.wgsl', lossesText, [grid, log]);
const gradientsEntry = /* @__PURE__ */ source('kernels/cox/gradients.wgsl', gradientsText, [
  bits,
  grid,
]);

/** Positions that one workgroup scans alone. */
const ALONE = 1024;
const BLOCKS = 64;

export interface CoxArgs {
  readonly n: number;
  /** Whether the losses are computed, and the gradient. */
  readonly loss: boolean;
  readonly grad: boolean;
  /** Inputs after x, time and event: a number by which gradients are divided, and an upstream gradient. */
  readonly count: boolean;
  readonly upstream: 'none' | 'one' | 'each';
}

/** Times as keys that rise where times fall. Both zeros are the same. */
const KEYS = {
  wgsl: `@group(0) @binding(1) var<storage, read> times: array<u32>;
fn key_of(i: u32) -> u32 {
  let b = times[i];
  let size = b & 0x7fffffffu;
  return select(0x7fffffffu - size, 0x7fffffffu + size, b > 0x80000000u);
}
fn entry_of(i: u32) -> vec2u {
  return vec2u(key_of(i), i);
}
`,
};

const ORDER = 0;
const RISK = 1;
const TOTALS = 2;
const SHARES = 3;
/** Scratch buffers of the sort come behind these. */
const OWN = 4;

const bind = (slot: number, access: string, name: string, type: string): string =>
  `@group(0) @binding(${slot}) var<storage, ${access}> ${name}: array<${type}>;\n`;
const EVENT = bind(3, 'read', 'event', 'i32');
const SUMS = bind(4, 'read_write', 'sums', 'vec2f') + bind(5, 'read_write', 'totals', 'vec2f');

/** The WGSL of what a launch reads and writes. */
function accessOf(pass: 'risk' | 'loss' | 'shares' | 'gradient', args: CoxArgs): string {
  const { count, upstream } = args;
  const weight =
    (upstream === 'each' ? bind(8, 'read', 'grad_output', 'f32') : '') +
    `fn weight_of(i: u32) -> f32 { return ${upstream === 'each' ? 'grad_output[i]' : '1.0'}; }\n`;
  switch (pass) {
    case 'risk':
      return `${SUMS}fn place_of(k: u32) -> u32 { return k; }
fn element_of(k: u32) -> vec2f { return unit_of(x[order[k].y]); }
`;
    case 'loss':
      return EVENT + bind(6, 'read', 'risk', 'vec2f') + bind(7, 'read_write', 'losses', 'f32');
    case 'shares':
      return `${EVENT}${SUMS}${bind(6, 'read', 'risk', 'vec2f')}${weight}fn place_of(k: u32) -> u32 { return u.n - 1u - k; }
fn element_of(k: u32) -> vec2f {
  let i = order[k].y;
  if (event[i] == 0) { return nothing; }
  let sum = risk[last_of(k)];
  // Where nobody who is at risk has a hazard, as in 0 / 0.
  if (sum.y == 0.0) { return vec2f(nothing.x, nan()); }
  // An infinite hazard leaves nothing to others; its own gradient is undefined, see gradients.wgsl.
  return vec2f(max(-sum.x, nothing.x), weight_of(i) / sum.y);
}
`;
    case 'gradient': {
      const factors = [
        ...(upstream === 'one' ? ['grad_output[0]'] : []),
        ...(count ? ['(1.0 / max(count[0], 1.0))'] : []),
      ];
      return [
        EVENT,
        weight,
        upstream === 'one' ? bind(8, 'read', 'grad_output', 'f32') : '',
        count ? bind(9, 'read', 'count', 'f32') : '',
        bind(6, 'read', 'shares', 'vec2f'),
        bind(7, 'read_write', 'grads', 'f32'),
        `fn factor_of() -> f32 { return ${factors.join(' * ') || '1.0'}; }\n`,
      ].join('');
    }
  }
}

const input = (slot: number, index: number): Binding => ({
  slot,
  of: 'input',
  index,
  access: 'read',
});
const scratch = (slot: number, index: number, access: 'read' | 'write'): Binding => ({
  slot,
  of: 'scratch',
  index,
  access,
});

function plan(args: CoxArgs, caps: Capabilities): Plan {
  const { n, count, upstream } = args;
  if (n === 0) return { launches: [], scratch: [] };
  const size = workgroupSize(256, caps);
  const blocks = n <= ALONE ? 1 : Math.min(BLOCKS, Math.ceil(n / ALONE));
  const tiles = Math.ceil(n / (size * blocks));
  const launch = (
    pass: 'risk' | 'loss' | 'shares' | 'gradient',
    entry: string,
    bindings: readonly Binding[],
  ): Launch => {
    const scans = pass === 'risk' || pass === 'shares';
    const access = accessOf(pass, args);
    return {
      program: cachedProgram(kernel, `${pass};${access}`, `coxPhLoss ${pass}`, kernel, () => ({
        access,
        entry: scans ? scanEntry : pass === 'loss' ? lossesEntry : gradientsEntry,
      })),
      entry,
      constants: { workgroup_size: size },
      bindings,
      uniforms: new UniformWriter(3).u32(n, tiles, blocks).buffer,
      workgroups: scans ? [blocks, 1, 1] : foldWorkgroups(Math.ceil(n / size), caps),
    };
  };
  const order = scratch(1, ORDER, 'read');
  const [x, event] = [input(2, 0), input(3, 2)];
  const given = upstream === 'none' ? [] : [input(8, count ? 4 : 3)];
  const scan = (pass: 'risk' | 'shares', to: number, reads: readonly Binding[]): Launch[] => {
    const totals = scratch(5, TOTALS, 'write');
    return [
      ...(blocks > 1 ? [launch(pass, 'total', [...reads, totals])] : []),
      launch(pass, 'scan', [...reads, scratch(4, to, 'write'), totals]),
    ];
  };
  // The sort's own places: its input is the times, its output the order.
  const sort = planSort({ count: n, rows: 2 ** 32 - 1, padding: null, keys: KEYS }, caps);
  const sorted = sort.launches.map((one): Launch => ({
    ...one,
    bindings: one.bindings.map((binding): Binding => {
      if (binding.of === 'input') return { ...binding, index: 1 };
      if (binding.of === 'output') return { ...binding, of: 'scratch', index: ORDER };
      return { ...binding, index: binding.index + OWN };
    }),
  }));
  const risk = scratch(6, RISK, 'read');
  const each = upstream === 'each' ? given : [];
  return {
    launches: [
      ...sorted,
      ...scan('risk', RISK, [order, x]),
      ...(args.loss
        ? [
            launch('loss', 'loss', [
              order,
              x,
              event,
              risk,
              { slot: 7, of: 'output', index: 0, access: 'write' },
            ]),
          ]
        : []),
      ...(args.grad
        ? [
            ...scan('shares', SHARES, [order, event, risk, ...each]),
            launch('gradient', 'gradient', [
              order,
              x,
              event,
              scratch(6, SHARES, 'read'),
              { slot: 7, of: 'output', index: args.loss ? 1 : 0, access: 'write' },
              ...given,
              ...(count ? [input(9, 3)] : []),
            ]),
          ]
        : []),
    ],
    scratch: [8 * n, 8 * n, 8 * blocks, args.grad ? 8 * n : 4, ...sort.scratch],
  };
}

/** A sum of exponentials: s e^m. */
type Pair = readonly [m: number, s: number];
const NOTHING: Pair = [-Infinity, 0];

function join([m, s]: Pair, [n, t]: Pair): Pair {
  if (s === 0) return [n, t];
  const most = Math.max(m, n);
  const part = (exponent: number): number => (exponent === most ? 1 : Math.exp(exponent - most));
  return [most, s * part(m) + t * part(n)];
}

function cpu(
  args: CoxArgs,
  inputs: readonly NumericArray[],
  outputs: readonly NumericArray[],
): void {
  const [x, time, event] = inputs;
  if (!x || !time || !event) return;
  const losses = args.loss ? outputs[0] : undefined;
  const grads = args.grad ? outputs[args.loss ? 1 : 0] : undefined;
  const upstream = args.upstream === 'none' ? undefined : inputs.at(-1);
  const order = Array.from({ length: args.n }, (_, i) => i).sort(
    (i, j) => at(time, j) - at(time, i),
  );
  const groups: number[][] = [];
  for (const i of order) {
    const last = groups.at(-1);
    if (last && at(time, last[0] ?? 0) === at(time, i)) last.push(i);
    else groups.push([i]);
  }
  let risk = NOTHING;
  const sums = groups.map((group) => {
    for (const i of group) risk = join(risk, at(x, i) === -Infinity ? NOTHING : [at(x, i), 1]);
    return risk;
  });
  groups.forEach((group, g) => {
    const [m, s] = sums[g] ?? NOTHING;
    for (const i of group)
      if (losses) losses[i] = at(event, i) === 0 ? 0 : m - at(x, i) + Math.log(s);
  });
  if (!grads) return;
  const factor =
    (args.upstream === 'one' ? atOr(upstream, 0, 1) : 1) /
    (args.count ? Math.max(atOr(inputs[3], 0, 1), 1) : 1);
  const weightOf = (i: number): number => (args.upstream === 'each' ? atOr(upstream, i, 1) : 1);
  let share = NOTHING;
  for (let g = groups.length - 1; g >= 0; g--) {
    const [m, s] = sums[g] ?? NOTHING;
    const group = groups[g] ?? [];
    for (const i of group) if (at(event, i) !== 0) share = join(share, [-m, weightOf(i) / s]);
    for (const i of group) {
      const own = at(event, i) === 0 ? 0 : weightOf(i);
      grads[i] = ((share[1] === 0 ? 0 : share[1] * Math.exp(at(x, i) + share[0])) - own) * factor;
    }
  }
}

export const cox: Kernel<CoxArgs> = {
  name: 'coxPhLoss',
  float16: 'convert',
  plan: (args, _inputs, _outputs, caps) => plan(args, caps),
  cpu,
};
