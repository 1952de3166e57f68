// Type-checks every TypeScript block of the README and of docs/*.md as it stands, in a module of its own, as a strict app would;
// one with other libraries is a piece of an example, which the lane `interop` checks.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { WITH_OTHERS } from '../interop/names.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const pages = [
  'README.md',
  ...readdirSync(`${root}docs`)
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

interface Block {
  /** Page and line. */
  readonly name: string;
  readonly path: string;
  readonly code: string;
}

function blocksOf(page: string): Block[] {
  const text = readFileSync(root + page, 'utf8');
  return [...text.matchAll(/^```(?:tsx?|typescript)\n([^]*?)^```/gm)].map((found) => {
    const line = text.slice(0, found.index).split('\n').length;
    const [, code = ''] = found;
    const path = `${root}block-${page.replaceAll(/\W/g, '-')}-${line}.ts`;
    return { name: `${page}:${line}`, path, code };
  });
}

function checkAll(blocks: readonly Block[]): Map<string, string[]> {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.esnext.disposable.d.ts'],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    verbatimModuleSyntax: true,
    moduleDetection: ts.ModuleDetectionKind.Force,
    allowImportingTsExtensions: true,
    noEmit: true,
    skipLibCheck: true,
    types: ['@webgpu/types'],
    paths: {
      nonlin: [`${root}src/index.ts`],
      'nonlin/kernels': [`${root}src/kernels.ts`],
      'nonlin/nn': [`${root}src/nn/index.ts`],
      'nonlin/optim': [`${root}src/optim/index.ts`],
    },
  };
  const codes = new Map(blocks.map(({ path, code }) => [path, code]));
  const host = ts.createCompilerHost(options);
  host.readFile = (path) => codes.get(path) ?? ts.sys.readFile(path);
  host.fileExists = (path) => codes.has(path) || ts.sys.fileExists(path);
  host.getCurrentDirectory = () => root;
  const program = ts.createProgram({
    rootNames: [...codes.keys()],
    options,
    host,
  });
  return new Map(
    blocks.map(({ name, path }) => {
      const file = program.getSourceFile(path);
      if (!file) throw new Error(`${name} was not read`);
      const found = [
        ...program.getSyntacticDiagnostics(file),
        ...program.getSemanticDiagnostics(file),
      ];
      const messages = found.map(({ start = 0, messageText }) => {
        const { line } = file.getLineAndCharacterOfPosition(start);
        return `line ${line + 1}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
      });
      return [name, messages];
    }),
  );
}

/** Whether a block uses libraries that are not installed here: the lane `interop` checks the example that it is from. */
const usesOthers = ({ code }: Block): boolean =>
  [...code.matchAll(/ from '([^']+)';/g)].some(
    ([, name = '']) => /^[@\w]/.test(name) && !/^(nonlin|node:|webgpu$)/.test(name),
  );

describe('blocks with other libraries', () => {
  const blocks = pages.flatMap(blocksOf).filter(usesOthers);
  const sources = WITH_OTHERS.flatMap((name) =>
    readdirSync(`${root}examples/${name}`)
      .filter((file) => /\.tsx?$/.test(file))
      .map((file) => readFileSync(`${root}examples/${name}/${file}`, 'utf8')),
  );

  it('are found', () => {
    expect(blocks.length).toBeGreaterThanOrEqual(WITH_OTHERS.length);
  });

  it.each(blocks)('$name stands in an example as it is', ({ code }) => {
    expect(sources.filter((source) => source.includes(code))).toHaveLength(1);
  });
});

describe('blocks of TypeScript', () => {
  const blocks = pages.flatMap(blocksOf).filter((block) => !usesOthers(block));
  let found: Map<string, string[]> | undefined;

  it('are found', () => {
    expect(blocks.filter(({ name }) => name.startsWith('README')).length).toBeGreaterThan(8);
  });

  it('are checked: a wrong one fails', () => {
    const code = "import { relu } from 'nonlin';\nrelu('x');\n";
    const path = `${root}block-wrong.ts`;
    found = checkAll([...blocks, { name: 'wrong', path, code }]);
    expect(found.get('wrong')).toEqual([
      expect.stringMatching(
        /^line 2: [^]*'string' is not assignable to parameter of type 'Tensor'/,
      ),
    ]);
  }, 120_000);

  it.each(blocks.map(({ name }) => name))(
    '%s',
    (name) => {
      found ??= checkAll(blocks);
      expect(found.get(name)).toEqual([]);
    },
    120_000,
  );
});
