// In: the built package and Deno's WebGPU (wgpu). Out: a JSON report of all checks, and what failed in full.
import { writeFileSync } from 'node:fs';
import { init, type Device } from '../../src/index.ts';
import { basicsChecks } from '../basics.ts';
import { ensureEqual, type Check } from '../check.ts';
import { ADAPTIVE, conformanceChecks } from '../conformance.ts';
import { deviceChecks } from './device.ts';
import { exceptions } from './exceptions.ts';
import { kernelChecks } from './kernels.ts';

/** Deno looks for finished work every 10 ms: several devices at once wait at the same time. */
const AT_ONCE = 4;

/** A GPU that never answers ends the run, without a report. */
const watchdog = setTimeout(() => {
  throw new Error('no end after ten minutes');
}, 600_000);

const tally = { passed: 0, failed: 0, skipped: 0 };

function report(title: string, error: unknown): void {
  tally.failed++;
  console.error(`FAILED ${title}\n${error instanceof Error ? (error.stack ?? '') : String(error)}`);
}

interface Group {
  readonly name: string;
  readonly open: () => Promise<Device>;
  readonly checks: readonly Check<Device>[];
}

async function runGroup({ name: group, open, checks }: Group): Promise<void> {
  const device = await open();
  ensureEqual(device.type, 'webgpu', 'type of the device');
  for (const { name, run } of checks) {
    const title = `${group}: ${name}`;
    const reason = exceptions[title];
    if (reason !== undefined) {
      tally.skipped++;
      console.log(`skipped ${title} (${reason})`);
      continue;
    }
    try {
      await run(device);
      tally.passed++;
    } catch (error) {
      report(title, error);
    }
  }
  // Whatever went wrong on the GPU unseen shows here.
  await device.synchronize().catch((error: unknown) => {
    report(`${group}: afterwards`, error);
  });
  device.dispose();
}

/** Runs groups, each on a device of its own, until none is left. */
async function work(groups: Group[]): Promise<void> {
  for (let group = groups.shift(); group; group = groups.shift()) await runGroup(group);
}

const webgpu = (): Promise<Device> => init({ backend: 'webgpu' });
const hardwareLike = async (): Promise<Device> => init({ backend: 'webgpu', tuning: 'hardware' });
const reference = await init({ backend: 'cpu' });

/** The golden cases of ops, a group each. */
function conformanceGroups(
  title: string,
  open: () => Promise<Device>,
  ops: readonly string[],
): Group[] {
  return ops.map((op) => ({
    name: `${op}${title}`,
    open,
    checks: (conformanceChecks.get(op) ?? []).map(({ name, run }) => ({
      name,
      run: (device) => run({ device, reference }),
    })),
  }));
}

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error('usage: suite.js REPORT.json');

const probe = await webgpu();
const { features, limits } = probe.gpuDevice ?? {};
const adapter = {
  name: probe.name,
  shaderF16: features?.has('shader-f16') === true,
  bindingLimit: limits?.maxStorageBufferBindingSize ?? 0,
};
probe.dispose();
console.log(`wgpu on ${adapter.name}`);
console.log(`  shader-f16: ${adapter.shaderF16 ? 'yes' : 'no'}`);
console.log(`  bytes in a binding: ${adapter.bindingLimit}`);

const groups = [
  ...conformanceGroups('', webgpu, [...conformanceChecks.keys()]),
  ...conformanceGroups(' as on a hardware adapter', hardwareLike, ADAPTIVE),
  { name: 'basics', open: webgpu, checks: basicsChecks },
  { name: 'kernels', open: webgpu, checks: kernelChecks },
  { name: 'kernels as on a hardware adapter', open: hardwareLike, checks: kernelChecks },
];
// the longest first, so that none is left alone at the end
groups.sort((a, b) => b.checks.length - a.checks.length);
await Promise.all(Array.from({ length: AT_ONCE }, () => work(groups)));
// large tensors, and memory that is counted: alone
await runGroup({ name: 'device', open: webgpu, checks: deviceChecks });

clearTimeout(watchdog);
writeFileSync(path, JSON.stringify({ ...tally, adapter }));
process.exitCode = tally.failed > 0 ? 1 : 0;
