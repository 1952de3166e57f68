// What each kernel may cost. Budgets stand in one table, budgets.json, by the kernel's name: a declaration has no place for
// the several launches of a loss, and would weigh more by them.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { FAMILIES, type Family } from './compile.ts';
import { compiledOf, failuresOf, isProduct, multiplyShare, perPack } from './figures.ts';
import type { Kernel, Results } from './kernels.ts';

/** On gfx1100, unless said. */
export interface Budget {
  /** Most vector instructions of the main loop for four elements; of a part that touches no elements, most in all. */
  readonly vector?: number;
  /** Of a product instead: the least share of multiply-adds in the main loop, in percent. */
  readonly multiply?: number;
  /** Fewest waves that a SIMD must have room for. */
  readonly waves: number;
  /** Most scalar registers that may be spilled, on any family; none where left out. */
  readonly scalarsSpilled?: number;
}

export type Budgets = Readonly<Record<string, Budget>>;

const FAMILY: Family = 'gfx1100';
/** What a new budget leaves for a compiler of another version. */
const SLACK = 1.05;
/** What a budget that is lowered leaves. */
const LOWERED = 1.02;

const path = fileURLToPath(new URL('budgets.json', import.meta.url));

export function readBudgets(): Budgets {
  return JSON.parse(readFileSync(path, 'utf8')) as Budgets;
}

/** What a kernel needs, as the budget that it would just keep, in its worst variant. */
export function needOf(kernel: Kernel, results: Results): Budget | undefined {
  const all = compiledOf(kernel, FAMILY, results);
  if (all.length === 0) return undefined;
  const mains = all.map(({ program }) => program.main);
  const waves = Math.min(...all.map((one) => one.waves));
  const everywhere = FAMILIES.flatMap((family) => compiledOf(kernel, family, results));
  const scalarsSpilled = Math.max(...everywhere.map((one) => one.scalarsSpilled));
  return {
    ...(mains.every(isProduct)
      ? { multiply: Math.floor(100 * Math.min(...mains.map(multiplyShare))) }
      : { vector: Math.ceil(Math.max(...mains.map(perPack))) }),
    waves,
    ...(scalarsSpilled > 0 ? { scalarsSpilled } : {}),
  };
}

/** Where a need leaves its budget, in words. */
export function excess(need: Budget, budget: Budget | undefined): string[] {
  if (!budget) return ['has no budget: `npm run isa -- --budgets` gives it one'];
  const wrong: string[] = [];
  if (need.vector !== undefined && need.vector > (budget.vector ?? Infinity)) {
    wrong.push(`${need.vector} vector instructions, budget ${String(budget.vector)}`);
  }
  if (need.multiply !== undefined && need.multiply < (budget.multiply ?? 0)) {
    wrong.push(`${need.multiply} % of the loop multiply, budget ${String(budget.multiply)} %`);
  }
  if ((need.vector === undefined) !== (budget.vector === undefined)) {
    wrong.push('is a product or is none, against its budget');
  }
  const { scalarsSpilled = 0 } = need;
  if (scalarsSpilled > (budget.scalarsSpilled ?? 0)) {
    wrong.push(`${scalarsSpilled} scalar registers spilled, budget ${budget.scalarsSpilled ?? 0}`);
  }
  if (need.waves < budget.waves) wrong.push(`room for ${need.waves} waves, budget ${budget.waves}`);
  return wrong;
}

/** All that is wrong with the kernels: what did not compile, spills, scratch memory, what leaves its budget. */
export function violations(
  kernels: readonly Kernel[],
  families: readonly Family[],
  results: Results,
  budgets: Budgets,
): string[] {
  const wrong: string[] = [];
  for (const kernel of kernels) {
    for (const family of families) {
      wrong.push(...failuresOf(kernel, family, results).map((text) => `${family}: ${text}`));
      for (const { spilled, scratch, mergedLn2 } of compiledOf(kernel, family, results)) {
        if (spilled > 0) wrong.push(`${family}: ${kernel.name} spills ${spilled} registers`);
        if (scratch > 0) wrong.push(`${family}: ${kernel.name} uses ${scratch} bytes of scratch`);
        if (mergedLn2) wrong.push(`${family}: ${kernel.name} adds both parts of ln2 to one float`);
      }
    }
    const need = families.includes(FAMILY) ? needOf(kernel, results) : undefined;
    if (need) {
      const found = excess(need, budgets[kernel.name]);
      wrong.push(...found.map((text) => `${FAMILY}: ${kernel.name}: ${text}`));
    }
  }
  return [...new Set(wrong)];
}

/** A budget that a better kernel has outgrown, brought down to what the kernel needs now; any other as it is. */
export function lowered(budget: Budget, need: Budget): Budget {
  const { vector, waves } = budget;
  return {
    ...budget,
    ...(vector !== undefined && need.vector !== undefined
      ? { vector: Math.min(vector, Math.ceil(need.vector * LOWERED)) }
      : {}),
    waves: Math.max(waves, need.waves),
  };
}

/**
 * Gives kernels without a budget one that they keep; drops those of kernels that are gone, where `kernels` are all. `lower`:
 * also brings the budgets of better kernels down.
 */
export async function writeBudgets(
  kernels: readonly Kernel[],
  results: Results,
  { all, lower }: { all: boolean; lower: boolean },
): Promise<void> {
  const known = readBudgets();
  const entries = kernels.flatMap((kernel): [string, Budget][] => {
    const need = needOf(kernel, results);
    if (!need) return [];
    const { vector } = need;
    const fresh = vector === undefined ? need : { ...need, vector: Math.ceil(vector * SLACK) };
    const budget = known[kernel.name] ?? fresh;
    return [[kernel.name, lower ? lowered(budget, need) : budget]];
  });
  if (!all) {
    const here = new Set(entries.map(([name]) => name));
    entries.push(...Object.entries(known).filter(([name]) => !here.has(name)));
  }
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify(Object.fromEntries(entries));
  const options = { ...(await resolveConfig(path)), filepath: path };
  writeFileSync(path, await format(text, options));
}
