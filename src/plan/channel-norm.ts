// Plans of norms whose operands have an element per channel.
import {
  channelArgs,
  channelNormOp,
  channelSizes,
  checkGiven,
  EPS,
  overBatch,
  type ChannelSetting,
  type ChannelSizes,
  type Seen,
} from '../define/channel-norm.ts';
import { resolveParams } from '../define/params.ts';
import { KEPT } from '../kernels/norm/args.ts';
import { normKernel } from '../kernels/norm/plan.ts';
import batchSetting from '../norms/batch-norm.ts';
import groupSetting from '../norms/group-norm.ts';
import instanceSetting from '../norms/instance-norm.ts';
import type { Call } from './call.ts';
import { kernelPass } from './kernel-pass.ts';
import type { KernelOp, Passes } from './types.ts';

/** Options of a plan of `groupNorm`. */
export interface GroupNormKernelOptions {
  /** A divisor of the number of channels. */
  readonly numGroups: number;
  /** At least 0. Defaults to 1e-5. */
  readonly eps?: number;
}

/** Options of a plan of `instanceNorm`. */
export interface InstanceNormKernelOptions {
  /** Whether mean and variance are those of `input`, not `runningMean` and `runningVar`. Defaults to true. */
  readonly useInputStats?: boolean;
  /** At least 0. Defaults to 1e-5. */
  readonly eps?: number;
}

/** Options of a plan of `batchNorm`. */
export interface BatchNormKernelOptions {
  /** Whether mean and variance are those of `input`, not `runningMean` and `runningVar`. Defaults to false. */
  readonly training?: boolean;
  /** At least 0. Defaults to 1e-5. */
  readonly eps?: number;
}

const OPERANDS = ['input', 'weight', 'bias'] as const;
const RUNNING = ['runningMean', 'runningVar'] as const;

/** `groupNorm` for `planOf`. An operand is there where its shape is. */
export function groupNormKernel(): KernelOp<GroupNormKernelOptions, 'input' | 'weight' | 'bias'> {
  const name = 'groupNorm';
  return {
    op: name,
    kind: 'norm',
    inputs: OPERANDS,
    differentiable: OPERANDS,
    passes: (call) => {
      const { eps } = resolveParams(name, { eps: EPS }, ['numGroups'], call.options);
      const { numGroups } = call.options as GroupNormKernelOptions;
      return normPasses(call, eps, false, (x, sizes) => groupSetting(x, sizes, numGroups));
    },
  };
}

/** `instanceNorm` for `planOf`. Running statistics are read where those of `input` are not used, and never moved. */
export function instanceNormKernel(): KernelOp<
  InstanceNormKernelOptions,
  'input' | 'weight' | 'bias' | 'runningMean' | 'runningVar'
> {
  const name = 'instanceNorm';
  return {
    op: name,
    kind: 'norm',
    inputs: [...OPERANDS, ...RUNNING],
    differentiable: OPERANDS,
    passes: (call) => {
      const specs = { useInputStats: true, eps: EPS };
      const { eps, useInputStats } = resolveParams(name, specs, [], call.options);
      return normPasses(call, eps, useInputStats === 0, instanceSetting);
    },
  };
}

/** `batchNorm` for `planOf`. Running statistics are read where those of `input` are not used, and never moved. */
export function batchNormKernel(): KernelOp<
  BatchNormKernelOptions,
  'input' | 'weight' | 'bias' | 'runningMean' | 'runningVar'
> {
  const name = 'batchNorm';
  return {
    op: name,
    kind: 'norm',
    inputs: [...OPERANDS, ...RUNNING],
    differentiable: OPERANDS,
    passes: (call) => {
      const specs = { training: false, eps: EPS };
      const { eps, training } = resolveParams(name, specs, [], call.options);
      return normPasses(call, eps, training === 0, batchSetting);
    },
  };
}

/** `running`: whether the statistics are given. */
function normPasses(
  call: Call,
  eps: number,
  running: boolean,
  settingOf: (x: Seen, sizes: ChannelSizes) => ChannelSetting,
): Passes {
  const { op } = call;
  const x = call.input();
  const has = ['weight', 'bias'].map((name) => call.has(name));
  const operands = ['weight', 'bias'].filter((_, i) => has[i]).map((name) => call.input(name));
  const [mean, variance] = RUNNING.map((name) =>
    running && call.has(name) ? call.input(name) : null,
  );
  const given = running ? checkGiven(op, mean, variance) : [];
  const all = [...operands, ...given].map((part) => [part.name, part] as const);
  const sizes = channelSizes(op, x, Object.fromEntries(all));
  const setting = running ? overBatch(sizes) : settingOf(x, sizes);
  const { rows, forward, backward } = channelArgs(
    { ...setting, op: channelNormOp(op), eps, given: running, moments: false },
    has,
  );
  const inputs = [x, ...operands];
  const needs = inputs.map(({ name }) => call.wants(name));
  const keeps = needs.includes(true);
  const y = call.tensor('output', x.shape, x.dtype);
  const kept = keeps ? [call.tensor('statistics', [rows, KEPT], 'float32')] : [];
  return {
    forward: kernelPass(call, (pass) => {
      pass.run(normKernel, forward(keeps), [x, ...given, ...operands], [y, ...kept]);
    }),
    backward: keeps
      ? kernelPass(call, (pass) => {
          const reads = [x, ...kept, ...(has[0] ? operands.slice(0, 1) : []), call.gradOf(y)];
          const grads = inputs.filter((_, i) => needs[i]).map((part) => call.gradOf(part));
          pass.run(normKernel, backward(needs), reads, grads);
        })
      : null,
  };
}
