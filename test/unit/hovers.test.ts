// What an editor shows of options: each has documentation and a type that a person can read.
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const path = `${root}hovers.ts`;

/** The language service of an app with one file. */
function serviceOf(code: string): ts.LanguageService {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.esnext.disposable.d.ts'],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    strict: true,
    exactOptionalPropertyTypes: true,
    allowImportingTsExtensions: true,
    noEmit: true,
    skipLibCheck: true,
    types: ['@webgpu/types'],
    paths: { nonlin: [`${root}src/index.ts`] },
  };
  const read = (file: string): string | undefined => (file === path ? code : ts.sys.readFile(file));
  return ts.createLanguageService({
    getScriptFileNames: () => [path],
    getScriptVersion: () => '1',
    getScriptSnapshot: (file) => {
      const text = read(file);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => root,
    getCompilationSettings: () => options,
    getDefaultLibFileName: (given) => ts.getDefaultLibFilePath(given),
    fileExists: (file) => file === path || ts.sys.fileExists(file),
    readFile: read,
    directoryExists: (folder) => ts.sys.directoryExists(folder),
    getDirectories: (folder) => ts.sys.getDirectories(folder),
  });
}

const CALLS: readonly [call: string, option: string, type: string, says: string][] = [
  ['crossEntropy(x, x, { labelSmoothing: 0.1 })', 'labelSmoothing', 'number', 'over all classes'],
  ['crossEntropy(x, x, { reduction: "none" })', 'reduction', 'Reduction', 'one loss per target'],
  ['gelu(x, { approximate: "tanh" })', 'approximate', '"none" | "tanh"', 'error function'],
  ['leakyRelu(x, { negativeSlope: 0.1 })', 'negativeSlope', 'number', 'slope below 0'],
  ['leakyRelu(x, { bias: x })', 'bias', 'Tensor', 'in the same kernel'],
  ['huberLoss(x, x, { delta: 2 })', 'delta', 'number', 'squares become lines'],
  ['huberLoss(x, x, { weight: x })', 'weight', 'Tensor', 'factor of each loss'],
  ['huberLoss(x, x, { reduction: "sum" })', 'reduction', 'Reduction', 'over all elements'],
  ['dpoLoss(x, x, x, x, { lossType: "ipo" })', 'lossType', '"sigmoid" | "hinge" | "ipo"', 'hinge'],
  ['tverskyLoss(x, x, { alpha: 1 })', 'alpha', 'number', 'false positives'],
  ['supConLoss(x, x, { temperature: 1 })', 'temperature', 'number', 'divided by'],
  ['layerNorm(x, [2], { weight: x })', 'weight', 'Tensor | null', 'factor of each element'],
  ['new nn.GELU({ approximate: "tanh" })', 'approximate', '"none" | "tanh"', 'error function'],
];

describe('hovers', () => {
  const lines = CALLS.map(
    ([call]) => `${call.startsWith('new') ? call.replace('nn', 'n.nn') : `n.${call}`};`,
  );
  const code = `import * as n from 'nonlin';\ndeclare const x: n.Tensor;\n${lines.join('\n')}\n`;
  const service = serviceOf(code);

  it.each(CALLS.map((one, i) => [one[0], i, one] as const))(
    '%s',
    (_, i, [, option, type, says]) => {
      const start = code.indexOf(lines[i] ?? '');
      const info = service.getQuickInfoAtPosition(path, code.indexOf(`${option}:`, start));
      const shown = ts.displayPartsToString(info?.displayParts).replaceAll('n.', '');
      expect(shown.replace(/ \| undefined$/, '')).toMatch(new RegExp(`${option}\\?: .+$`));
      expect(shown).toContain(`: ${type}`);
      expect(shown.length).toBeLessThan(120);
      expect(ts.displayPartsToString(info?.documentation)).toContain(says);
    },
  );

  it('say something of every option of every function, and have an example', () => {
    const program = service.getProgram();
    const file = program?.getSourceFile(path);
    if (!program || !file) throw new Error('no program');
    const checker = program.getTypeChecker();
    const [first] = file.statements;
    if (!first || !ts.isImportDeclaration(first)) throw new Error('no import');
    const library = checker.getSymbolAtLocation(first.moduleSpecifier);
    if (!library) throw new Error('no module');
    let count = 0;
    const without: string[] = [];
    const silent = checker.getExportsOfModule(library).flatMap((symbol) => {
      const alias = (symbol.flags & ts.SymbolFlags.Alias) !== 0;
      const own = alias ? checker.getAliasedSymbol(symbol) : symbol;
      const signatures = checker.getTypeOfSymbolAtLocation(symbol, file).getCallSignatures();
      const tags = own.getJsDocTags(checker).map(({ name }) => name);
      if (signatures.length > 0 && !tags.includes('example')) without.push(symbol.name);
      return signatures.flatMap((signature) => {
        const last = signature.getParameters().at(-1);
        if (!last || !/^(options|settings|args)$/.test(last.name)) return [];
        const type = checker.getTypeOfSymbolAtLocation(last, file);
        const options = checker.isTupleType(type)
          ? checker.getTypeArguments(type as ts.TypeReference).at(-1)
          : type;
        if (!options || !/options|settings/i.test(last.name + checker.typeToString(options)))
          return [];
        return checker
          .getPropertiesOfType(checker.getNonNullableType(options))
          .flatMap((option) => {
            count++;
            const said = ts.displayPartsToString(option.getDocumentationComment(checker));
            return said === '' ? [`${symbol.name}: ${option.name}`] : [];
          });
      });
    });
    expect(count).toBeGreaterThan(500);
    expect(silent).toEqual([]);
    expect(without).toEqual([]);
  });
});
