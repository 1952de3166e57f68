// What an editor shows: the language service of an app with one file that imports the package, from its sources or as it is built.
import ts from 'typescript';
import { fileURLToPath } from 'node:url';
import {
  exportsOf as valuesOf,
  optionsOf,
  type Exported as Value,
} from '../scripts/option-docs.mjs';
import { withThrows } from '../scripts/throws.mjs';

export const root = fileURLToPath(new URL('../', import.meta.url));

/** The sources stand for declarations here, which get their `@throws` lines when they are built. */
const SOURCES = {
  nonlin: [`${root}src/index.ts`],
  'nonlin/nn': [`${root}src/nn/index.ts`],
  'nonlin/optim': [`${root}src/optim/index.ts`],
  'nonlin/kernels': [`${root}src/kernels.ts`],
};

export interface Editor {
  readonly service: ts.LanguageService;
  readonly checker: ts.TypeChecker;
  readonly file: ts.SourceFile;
}

/** An editor with a file in `folder`, whose imports of the package lead to `paths`, or to `node_modules` where there are none. */
export function editorOf(
  code: string,
  folder = root,
  paths: Readonly<Record<string, string[]>> | null = SOURCES,
): Editor {
  const path = `${folder}${folder.endsWith('/') ? '' : '/'}hovers.ts`;
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
    types: paths ? ['@webgpu/types'] : [],
    ...(paths ? { paths: { ...paths } } : {}),
  };
  const read = (file: string): string | undefined => {
    if (file === path) return code;
    const text = ts.sys.readFile(file);
    return text !== undefined && file.startsWith(`${root}src/`) ? withThrows(file, text) : text;
  };
  const service = ts.createLanguageService({
    getScriptFileNames: () => [path],
    getScriptVersion: () => '1',
    getScriptSnapshot: (file) => {
      const text = read(file);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => folder,
    getCompilationSettings: () => options,
    getDefaultLibFileName: (given) => ts.getDefaultLibFilePath(given),
    fileExists: (file) => file === path || ts.sys.fileExists(file),
    readFile: read,
    directoryExists: (name) => ts.sys.directoryExists(name),
    getDirectories: (name) => ts.sys.getDirectories(name),
  });
  const program = service.getProgram();
  const file = program?.getSourceFile(path);
  if (!program || !file) throw new Error('no program');
  return { service, checker: program.getTypeChecker(), file };
}

/** What an editor shows at a word of the code, from where `after` is. */
export function hoverOf(
  { service, file }: Editor,
  after: string,
  word: string,
): { text: string; docs: string; tags: readonly string[] } {
  const info = service.getQuickInfoAtPosition(
    file.fileName,
    file.text.indexOf(word, file.text.indexOf(after)),
  );
  return {
    text: ts.displayPartsToString(info?.displayParts),
    docs: ts.displayPartsToString(info?.documentation),
    tags: (info?.tags ?? []).map(({ name, text }) => `@${name} ${ts.displayPartsToString(text)}`),
  };
}

/** A value that an entry exports, with the tags of its documentation. */
export interface Exported extends Value {
  readonly tags: readonly { readonly name: string; readonly text: string }[];
}

/** All values of the module that the n-th statement of the file imports, and those of its namespaces. */
export function exportsOf({ checker, file }: Editor, statement = 0): Exported[] {
  const found = file.statements[statement];
  if (!found || !ts.isImportDeclaration(found)) throw new Error('no import');
  const library = checker.getSymbolAtLocation(found.moduleSpecifier);
  if (!library) throw new Error('no module');
  return valuesOf(checker, library, file).map((one) => ({
    ...one,
    tags: one.symbol
      .getJsDocTags(checker)
      .map(({ name, text }) => ({ name, text: ts.displayPartsToString(text) })),
  }));
}

/** What is said of each option of functions, classes and plans. */
export function optionDocs(editor: Editor, statement = 0): (readonly [string, string])[] {
  const { checker, file } = editor;
  const called = exportsOf(editor, statement).filter(
    ({ type }) =>
      [...type.getCallSignatures(), ...type.getConstructSignatures()].length > 0 ||
      type.getProperty('passes') !== undefined,
  );
  return called.flatMap(({ name, type }) =>
    optionsOf(checker, type, file).flatMap((option) => {
      // JavaScript's own, of errors
      if (option.name === 'cause') return [];
      const says = ts.displayPartsToString(option.getDocumentationComment(checker));
      return [[`${name}: ${option.name}`, says] as const];
    }),
  );
}
