// Takes the built package and Deno's WebGPU (wgpu), and gives a JSON report of all checks, and what failed in full.
import { writeFileSync } from 'node:fs';
import { init, type Device } from '../../src/index.ts';
import { basicsChecks } from '../basics.ts';
import { ADAPTIVE } from '../conformance.ts';
import { bothOf, conformanceGroups, runGroups } from '../runner.ts';
import { deviceChecks } from './device.ts';
import { exceptions } from './exceptions.ts';
import { kernelChecks } from './kernels.ts';

/** A GPU that never answers ends the run, without a report. */
const watchdog = setTimeout(() => {
  throw new Error('no end after thirty minutes');
}, 1_800_000);

const webgpu = (): Promise<Device> => init({ backend: 'webgpu' });
const hardwareLike = (): Promise<Device> => init({ backend: 'webgpu', tuning: 'hardware' });
const log = (line: string): void => {
  console.log(line);
};

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
  ...(await conformanceGroups('', webgpu)),
  ...(await conformanceGroups(' as on a hardware adapter', hardwareLike, ADAPTIVE)),
  { name: 'basics', open: webgpu, checks: basicsChecks },
  { name: 'kernels', open: webgpu, checks: kernelChecks },
  { name: 'kernels as on a hardware adapter', open: hardwareLike, checks: kernelChecks },
];
// Deno looks for finished work every 10 ms: several devices at once wait at the same time.
const together = await runGroups(groups, { exceptions, atOnce: 4, log });
// large tensors, and memory that is counted: alone
const alone = await runGroups([{ name: 'device', open: webgpu, checks: deviceChecks }], {
  exceptions,
  atOnce: 1,
  log,
});

clearTimeout(watchdog);
const tally = bothOf(together, alone);
writeFileSync(path, JSON.stringify({ ...tally, adapter }));
process.exitCode = tally.failed > 0 ? 1 : 0;
