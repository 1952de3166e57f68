// The `@throws` lines of the documentation: that every function has them, and that they name what calls throw.
import { expect, it } from 'vitest';
import { errorsOf } from '../../scripts/throws.mjs';
import { errorsThrown } from '../bad-input.ts';
import { opNames } from '../calls.ts';
import { ALL_REFUSALS } from '../refusals/suite.ts';
import { editorOf, exportsOf, type Exported } from '../editor.ts';

/** Functions that throw no error of the package: they make an op for `planOf` of what the compiler has checked. */
const SILENT = ['activationKernel', 'lossKernel', 'withBias'];

const ENTRIES = ['nonlin', 'nonlin/nn', 'nonlin/optim', 'nonlin/kernels'];
const editor = editorOf(
  ENTRIES.map((entry, i) => `import * as e${i} from '${entry}';\n`).join('') + 'export {};\n',
);
const functions = new Map<string, Exported>(
  ENTRIES.flatMap((_, i) => exportsOf(editor, i))
    .filter(({ type }) => type.getCallSignatures().length > 0)
    .map((one) => [one.symbol.name, one]),
);

/** The names of the errors that the lines of a function name. */
function named({ tags }: Exported): string[] {
  const lines = tags.filter(({ name }) => name === 'throws').map(({ text }) => text);
  return [...new Set(lines.flatMap((line) => line.match(/\w+Error\b/g) ?? []))].sort();
}

it('are there for every function of every entry', () => {
  expect(functions.size).toBeGreaterThan(180);
  const without = [...functions.values()].filter((one) => named(one).length === 0);
  expect(without.map(({ symbol }) => symbol.name).sort()).toEqual(SILENT);
});

it.each(opNames)('of %s are what its wrong calls throw', (op) => {
  expect(errorsOf(op).sort()).toEqual(errorsThrown(op));
  const one = functions.get(op);
  if (!one) throw new Error(`no function ${op}`);
  expect(named(one)).toEqual(errorsThrown(op));
});

it('name what else is refused of a function', () => {
  const missing = ALL_REFUSALS.flatMap(({ op, error }) => {
    const one = functions.get(op.split('.').at(-1) ?? '');
    return one && !named(one).includes(error.name) ? [`${op}: ${error.name}`] : [];
  });
  expect([...new Set(missing)]).toEqual([]);
});
