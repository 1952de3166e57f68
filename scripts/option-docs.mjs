// @ts-check
/**
 * What an editor says of options. TypeScript writes a type that it has inferred into a declaration without the comments of properties
 * that another file declares: those of `nonlin/kernels`, whose ops are declared elsewhere, and of shared options. They are put back here.
 */
import ts from 'typescript';

/**
 * @typedef {object} Exported A value that a module exports, or that is in a namespace of it.
 * @property {string} name with the namespaces that it is in: `nn.init.ones_`
 * @property {ts.Symbol} symbol
 * @property {ts.Type} type
 */

/**
 * All values that a module exports, and what is in its namespaces.
 * @param {ts.TypeChecker} checker
 * @param {ts.Symbol} library
 * @param {ts.Node} at
 * @returns {Exported[]}
 */
export function exportsOf(checker, library, at, within = '') {
  return checker.getExportsOfModule(library).flatMap((symbol) => {
    const alias = (symbol.flags & ts.SymbolFlags.Alias) !== 0;
    const own = alias ? checker.getAliasedSymbol(symbol) : symbol;
    const name = `${within}${symbol.name}`;
    if ((own.flags & ts.SymbolFlags.ValueModule) !== 0)
      return exportsOf(checker, own, at, `${name}.`);
    if ((own.flags & ts.SymbolFlags.Value) === 0) return [];
    return [{ name, symbol: own, type: checker.getTypeOfSymbolAtLocation(own, at) }];
  });
}

/**
 * The options that a function or a class takes last, and those of a plan.
 * @param {ts.TypeChecker} checker
 * @param {ts.Type} type
 * @param {ts.Node} at
 * @returns {ts.Symbol[]}
 */
export function optionsOf(checker, type, at) {
  /** @param {ts.Symbol} symbol */
  const typeOf = (symbol) => checker.getTypeOfSymbolAtLocation(symbol, at);
  /** @param {ts.Type} options */
  const propertiesOf = (options) =>
    checker.getPropertiesOfType(checker.getNonNullableType(options));
  const signatures = [...type.getCallSignatures(), ...type.getConstructSignatures()];
  const own = signatures.flatMap((signature) => {
    const last = signature.getParameters().at(-1);
    if (!last || !/^(options|settings|args)$/.test(last.name)) return [];
    const taken = typeOf(last);
    const options = checker.isTupleType(taken)
      ? checker.getTypeArguments(/** @type {ts.TypeReference} */ (taken)).at(-1)
      : taken;
    const named = options && /options|settings/i.test(last.name + checker.typeToString(options));
    return named ? propertiesOf(options) : [];
  });
  // an op of nonlin/kernels: of the call that it plans
  const passes = type.getProperty('passes');
  const call = passes && typeOf(passes).getCallSignatures()[0]?.getParameters()[0];
  const planned = call && typeOf(call).getProperty('options');
  return planned ? [...own, ...propertiesOf(typeOf(planned))] : own;
}

/**
 * What the sources say of the options of all that a module exports: by its name, by the option's.
 * @param {ts.Program} program
 * @param {string} path
 * @returns {Map<string, Map<string, string>>}
 */
export function optionDocs(program, path) {
  const checker = program.getTypeChecker();
  const file = program.getSourceFile(path);
  const library = file && checker.getSymbolAtLocation(file);
  if (!library) throw new Error(`no module ${path}`);
  return new Map(
    exportsOf(checker, library, file).map(({ symbol, type }) => [
      symbol.name,
      new Map(
        optionsOf(checker, type, file).map((option) => [
          option.name,
          ts.displayPartsToString(option.getDocumentationComment(checker)),
        ]),
      ),
    ]),
  );
}

/**
 * A declaration file whose options are documented that stand there without a comment.
 * @param {string} text
 * @param {ReadonlyMap<string, ReadonlyMap<string, string>>} docs
 */
export function withOptionDocs(text, docs) {
  const file = ts.createSourceFile('x.d.ts', text, ts.ScriptTarget.ESNext, true);
  /** @type {[at: number, doc: string][]} */
  const added = [];
  for (const statement of file.statements) {
    if (!ts.isVariableStatement(statement)) continue;
    for (const { name, type } of statement.declarationList.declarations) {
      // of a class that extends what a call gives
      const own = docs.get(name.getText(file).replace(/_base$/, ''));
      /** @param {ts.Node} node */
      const visit = (node) => {
        if (ts.isPropertySignature(node) && ts.getJSDocCommentsAndTags(node).length === 0) {
          const doc = own?.get(node.name.getText(file));
          if (doc) added.push([node.getStart(file), doc.replace(/\s+/g, ' ')]);
        }
        ts.forEachChild(node, visit);
      };
      if (own && type) visit(type);
    }
  }
  return added.reduceRight((all, [at, doc]) => {
    const indent = /[ \t]*$/.exec(all.slice(0, at))?.[0] ?? '';
    return `${all.slice(0, at)}/** ${doc} */\n${indent}${all.slice(at)}`;
  }, text);
}
