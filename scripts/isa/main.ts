/**
 * `npm run isa`: what the compilers of real GPUs make of every kernel, without a GPU.
 *
 * In: names of ops, for those alone: `npm run isa -- gelu softmax`; `--check` writes nothing; `--family NAME` (repeatable);
 * `--assembly` prints what was compiled, of each kernel's first variant;
 * `--budgets` gives kernels that have none a budget, `--lower` brings those of better kernels down; `--peers` takes the figures of other libraries, which the page then has, `--report FILE.json` for scripts/test.mjs.
 * Out: tables in the terminal; of a full run docs/hardware.md. The exit code is 1 where a kernel spills, uses scratch memory
 * or leaves its budget (scripts/isa/budgets.json).
 */
import { rmSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { readBudgets, violations, writeBudgets } from './budgets.ts';
import { subjects } from './calls.ts';
import { FAMILIES, type Family } from './compile.ts';
import { build, gather } from './kernels.ts';
import { measurePeers } from './peers.ts';
import { assemblies, terminal, terminalCalls, writePage } from './report.ts';
import { prepareTools, type Tools } from './tools.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    check: { type: 'boolean', default: false },
    budgets: { type: 'boolean', default: false },
    lower: { type: 'boolean', default: false },
    assembly: { type: 'boolean', default: false },
    peers: { type: 'boolean', default: false },
    family: { type: 'string', multiple: true },
    report: { type: 'string' },
  },
});

function chosen<T extends string>(
  what: string,
  known: readonly T[],
  given: readonly string[],
): T[] {
  const unknown = given.filter((name) => !known.some((one) => one === name));
  if (unknown.length > 0) {
    throw new Error(`no such ${what}: ${unknown.join(', ')}; there are ${known.join(', ')}`);
  }
  return known.filter((name) => given.includes(name));
}

const ops = chosen('op', subjects, positionals);
const families: readonly Family[] = values.family
  ? chosen('family', FAMILIES, values.family)
  : FAMILIES;

/** For scripts/test.mjs. */
function report(counts: {
  passed: number;
  failed: number;
  notRun?: string;
  failures?: readonly string[];
}): void {
  if (values.report !== undefined) writeFileSync(values.report, JSON.stringify(counts));
}

async function main(tools: Tools): Promise<void> {
  if (values.peers) await measurePeers(tools, (library) => console.error(library));
  const full = ops.length === 0;
  const gathered = await gather(full ? subjects : ops, (subject) => {
    if (full) console.error(subject);
  });
  const { kernels, calls } = gathered;
  const built = await build(gathered, families, tools, values.assembly);
  const { results } = built;
  const whole = full && families.length === FAMILIES.length;
  const { budgets, lower } = values;
  if (budgets || lower) await writeBudgets(kernels, results, { all: whole, lower });
  const wrong = violations(kernels, families, results, readBudgets());
  if (!values.check) {
    for (const family of families) {
      if (values.assembly) console.log(assemblies(kernels, family, results));
      console.log(terminal(kernels, family, results));
    }
    console.log(terminalCalls(calls, built));
    if (whole) await writePage(gathered, built);
  }
  for (const text of wrong) console.error(text);
  const pipelines = gathered.pipelines.length;
  console.log(
    `${kernels.length} kernels of ${pipelines} pipelines for ${families.join(', ')}: ${wrong.length} faults`,
  );
  report({ passed: kernels.length, failed: wrong.length, failures: wrong });
  process.exitCode = wrong.length > 0 ? 1 : 0;
}

const tools = prepareTools();
if (typeof tools === 'string') {
  console.log(`not run: ${tools}`);
  report({ passed: 0, failed: 0, notRun: tools });
} else {
  try {
    await main(tools);
  } finally {
    rmSync(tools.folder, { recursive: true, force: true });
  }
}
