// Takes groups of checks, each with a way to open its device, and gives how many passed; what failed is logged in full.
// Runs checks where there is no test runner: test/deno and test/firefox share it.
import { init, type Device } from '../src/index.ts';
import { ensureEqual, type Check } from './check.ts';
import { conformanceChecks } from './conformance.ts';

export interface Group {
  readonly name: string;
  readonly open: () => Promise<Device>;
  readonly checks: readonly Check<Device>[];
}

export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** What failed, and why, in a line each. */
  readonly failures: readonly string[];
}

/** What two runs come to. */
export function bothOf(a: Tally, b: Tally): Tally {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
    failures: [...a.failures, ...b.failures],
  };
}

export interface RunOptions {
  /** Reasons by `group: name`, of checks that cannot hold here. */
  readonly exceptions: Readonly<Record<string, string>>;
  /** Groups that run side by side, each on a device of its own. */
  readonly atOnce: number;
  /** Takes what people should know while the checks run. */
  readonly log: (line: string) => void;
}

export async function runGroups(all: readonly Group[], options: RunOptions): Promise<Tally> {
  const { exceptions, atOnce, log } = options;
  const failures: string[] = [];
  const tally = { passed: 0, failed: 0, skipped: 0, failures };
  const fail = (title: string, error: unknown): void => {
    tally.failed++;
    failures.push(`${title}: ${String(error).slice(0, 300)}`);
    const stack = error instanceof Error ? (error.stack ?? '') : '';
    // Some engines begin a stack with the message, others leave it out.
    const words = stack.startsWith(String(error)) ? stack : `${String(error)}\n${stack}`;
    log(`FAILED ${title}\n${words}`);
  };

  const runGroup = async ({ name: group, open, checks }: Group): Promise<void> => {
    const device = await open();
    ensureEqual(device.type, 'webgpu', 'type of the device');
    for (const { name, run } of checks) {
      const title = `${group}: ${name}`;
      const reason = exceptions[title];
      if (reason !== undefined) {
        tally.skipped++;
        log(`skipped ${title} (${reason})`);
        continue;
      }
      try {
        await run(device);
        tally.passed++;
      } catch (error) {
        fail(title, error);
      }
    }
    // Whatever went wrong on the GPU unseen shows here.
    await device.synchronize().catch((error: unknown) => {
      fail(`${group}: afterwards`, error);
    });
    device.dispose();
  };

  // the longest first, so that none is left alone at the end
  const groups = [...all].sort((a, b) => b.checks.length - a.checks.length);
  const work = async (): Promise<void> => {
    for (let group = groups.shift(); group; group = groups.shift()) {
      const { name, checks } = group;
      const start = performance.now();
      // a group whose device does not open has failed; the others go on
      await runGroup(group).catch((error: unknown) => {
        fail(name, error);
      });
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      log(`${name}: ${checks.length} checks in ${seconds} s`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return tally;
}

/** The golden cases of ops, a group each. */
export async function conformanceGroups(
  title: string,
  open: () => Promise<Device>,
  ops: readonly string[] = [...conformanceChecks.keys()],
): Promise<Group[]> {
  const reference = await init({ backend: 'cpu' });
  return ops.map((op) => ({
    name: `${op}${title}`,
    open,
    checks: (conformanceChecks.get(op) ?? []).map(({ name, run }) => ({
      name,
      run: (device) => run({ device, reference }),
    })),
  }));
}
