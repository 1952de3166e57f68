// Takes what scripts/firefox.mjs asks for, in Firefox. Gives the adapter, and how many checks passed, as plain data.
import { init, type Device } from '../../src/index.ts';
import { basicsChecks } from '../basics.ts';
import { opNames } from '../calls.ts';
import type { Check } from '../check.ts';
import { ADAPTIVE } from '../conformance.ts';
import { deviceChecks } from '../deno/device.ts';
import { kernelChecks } from '../deno/kernels.ts';
import { hostileChecks, type HostileDevices } from '../gpu/hostile-checks.ts';
import { optimizerChecks } from '../gpu/hostile-optimizers.ts';
import { bothOf, conformanceGroups, runGroups, type Group, type Tally } from '../runner.ts';
import { exceptions } from './exceptions.ts';
import { readChecks } from './reads.ts';

/** Groups side by side: while one waits for its results, others compute. */
const AT_ONCE = 8;

type Tuning = 'hardware' | 'software';
const opening = (tuning: Tuning) => (): Promise<Device> => init({ backend: 'webgpu', tuning });

function hostileGroups(tuning: Tuning, cpu: Device): Group[] {
  const group = (part: string, checks: readonly Check<HostileDevices>[]): Group => ({
    name: `hostile ${part}, ${tuning}`,
    open: opening(tuning),
    checks: checks.map(({ name, run }) => ({
      name,
      run: (device) => run({ cpu, plans: [[tuning, device]] }),
    })),
  });
  return [
    ...hostileChecks(opNames, 'some').map((check) => group(check.name, [check])),
    group('optimizers', optimizerChecks),
  ];
}

/** Every op by the plan for hardware, which users run; by that for software the ops that differ by more than how their elements are walked. */
async function groups(): Promise<Group[]> {
  const cpu = await init({ backend: 'cpu' });
  return [
    ...(await conformanceGroups(', hardware', opening('hardware'))),
    ...(await conformanceGroups(', software', opening('software'), ADAPTIVE)),
    { name: 'basics, hardware', open: opening('hardware'), checks: basicsChecks },
    { name: 'basics, software', open: opening('software'), checks: basicsChecks },
    { name: 'kernels, hardware', open: opening('hardware'), checks: kernelChecks },
    { name: 'kernels, software', open: opening('software'), checks: kernelChecks },
    ...hostileGroups('hardware', cpu),
  ];
}

const suite = {
  /** What WebGPU there is, in words; null where there is none. */
  async adapter(): Promise<string | null> {
    const gpu = (navigator as { gpu?: GPU }).gpu;
    const adapter = await gpu?.requestAdapter();
    if (!adapter) return null;
    const { vendor, architecture, description, isFallbackAdapter } = adapter.info;
    const words = [vendor, architecture, description].filter(Boolean).join(' ') || 'unnamed';
    const kind = isFallbackAdapter ? 'a software adapter' : 'a GPU';
    return `${words}, ${kind}, ${adapter.limits.maxStorageBufferBindingSize} bytes in a binding`;
  },

  /** Runs the groups whose name the pattern matches. */
  async run(pattern: string): Promise<Tally> {
    const log = (line: string): void => {
      console.log(line);
    };
    const wanted = new RegExp(pattern);
    const chosen = (await groups()).filter(({ name }) => wanted.test(name));
    const together = await runGroups(chosen, { exceptions, atOnce: AT_ONCE, log });
    // large tensors, memory that is counted, and times: alone
    const device = {
      name: 'device',
      open: opening('hardware'),
      checks: [...readChecks, ...deviceChecks],
    };
    const last = wanted.test(device.name) ? [device] : [];
    const alone = await runGroups(last, { exceptions, atOnce: 1, log });
    return bothOf(together, alone);
  },
};

export type FirefoxSuite = typeof suite;
Object.assign(globalThis, { suite });
