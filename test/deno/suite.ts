// In: the built package and Deno's WebGPU (wgpu). Out: a JSON report of all checks, and what failed in full.
import { writeFileSync } from 'node:fs';
import { init, type Device } from '../../src/index.ts';
import { basicsChecks } from '../basics.ts';
import type { Check } from '../check.ts';
import { conformanceChecks } from '../conformance.ts';
import { deviceChecks } from './device.ts';
import { exceptions } from './exceptions.ts';

/** Deno looks for finished work every 10 ms: several devices at once wait at the same time. */
const DEVICES = 4;

const tally = { passed: 0, failed: 0, skipped: 0 };

function report(title: string, error: unknown): void {
  tally.failed++;
  console.error(`FAILED ${title}\n${error instanceof Error ? (error.stack ?? '') : String(error)}`);
}

interface Group {
  readonly name: string;
  readonly checks: readonly Check<Device>[];
}

async function runGroup({ name: group, checks }: Group, device: Device): Promise<void> {
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
  await device.synchronize().catch((error: unknown) => report(`${group}: afterwards`, error));
}

/** Runs groups of checks, one after the other, until none is left. */
async function work(groups: Group[]): Promise<void> {
  const device = await init({ backend: 'webgpu' });
  for (let group = groups.shift(); group; group = groups.shift()) await runGroup(group, device);
  device.dispose();
}

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error('usage: suite.js REPORT.json');

const device = await init({ backend: 'webgpu' });
const { features, limits } = device.gpuDevice ?? {};
const adapter = {
  name: device.name,
  shaderF16: features?.has('shader-f16') === true,
  bindingLimit: limits?.maxStorageBufferBindingSize ?? 0,
};
console.log(`wgpu on ${adapter.name}`);
console.log(`  shader-f16: ${adapter.shaderF16 ? 'yes' : 'no'}`);
console.log(`  bytes in a binding: ${adapter.bindingLimit}`);

const reference = await init({ backend: 'cpu' });
const ops = [...conformanceChecks].map(([name, checks]): Group => ({
  name,
  checks: checks.map((check) => ({
    name: check.name,
    run: (tested) => check.run({ device: tested, reference }),
  })),
}));
// the longest first, so that none is left alone at the end
ops.sort((a, b) => b.checks.length - a.checks.length);
await Promise.all(Array.from({ length: DEVICES }, () => work(ops)));
await runGroup({ name: 'basics', checks: basicsChecks }, device);
await runGroup({ name: 'device', checks: deviceChecks }, device);
device.dispose();

writeFileSync(path, JSON.stringify({ ...tally, adapter }));
process.exitCode = tally.failed > 0 ? 1 : 0;
