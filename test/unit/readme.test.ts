// Runs the examples of the README and of two guides, and compares what they print with the `// →` comments beside it, to four decimals.
import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import * as nonlin from '../../src/index.ts';
import * as kernels from '../../src/kernels.ts';

const PAGES = ['README.md', 'docs/precision.md', 'docs/writing-an-op.md'];

function examplesOf(page: string): string[] {
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8');
  const blocks = [...text.matchAll(/```ts\n([^]*?)```/g)].map(([, code = '']) => code);
  return blocks.filter((code) => code.includes('// →'));
}

/** What examples import from. */
const entries = { nonlin, 'nonlin/kernels': kernels };

type Example = (
  library: typeof entries,
  console: { log: (value: unknown) => void },
) => Promise<void>;
const AsyncFunction = (async () => Promise.resolve()).constructor as new (
  ...args: string[]
) => Example;

/** Numbers to four decimals, however deeply nested. */
function rounded(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rounded);
  return typeof value === 'number' ? Number(value.toFixed(4)) : value;
}

async function run(code: string): Promise<unknown[]> {
  const printed: unknown[] = [];
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
    },
  });
  const body = outputText.replace(
    /import (\{[^}]*\}) from ('nonlin(?:\/kernels)?');|^export \{\};$/gm,
    (_, names: string | undefined, entry = '') =>
      names === undefined ? '' : `const ${names} = library[${String(entry)}];`,
  );
  await new AsyncFunction('library', 'console', body)(entries, {
    log: (value) => printed.push(rounded(value)),
  });
  return printed;
}

describe.each(PAGES)('%s', (page) => {
  const examples = examplesOf(page);

  test('has examples that say what they print', () => {
    expect(examples.length).toBeGreaterThanOrEqual(page === 'README.md' ? 6 : 3);
  });

  test.each(examples.map((code, i) => [i, code] as const))(
    'example %i prints what it says',
    async (_, code) => {
      const said = [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, value = '']): unknown =>
        JSON.parse(value),
      );
      expect(await run(code)).toEqual(said);
    },
  );
});
