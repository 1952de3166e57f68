// Takes WGSL, and gives its syntax tree, with what every name refers to, from the parser of `wesl`.
import {
  bindIdents,
  childElems,
  parseSrcModule,
  RecordResolver,
  type AbstractElem,
  type BinaryExpression,
  type ExpressionElem,
  type LinkBindings,
  type ModuleElem,
} from 'wesl';

export interface Parsed {
  readonly module: ModuleElem;
  readonly bindings: LinkBindings;
}

/** What takes a template list; after any other name `<` compares. */
const COMPARES =
  /(?<!<|\b(?:array|atomic|bitcast|mat\dx\d|ptr|var|vec\d|texture_\w+)\s*)<(?![<=])/g;

/** Positions in the tree are those in `code`, but operators `<` are given as `>`: read them from `code`. */
export function parse(code: string): Parsed {
  // wesl 0.7 takes `f(a < b, c > d)` and `(a < b) | (c > d)` for template lists; for types both operators are alike.
  const src = code.replace(COMPARES, '>');
  const ast = parseSrcModule({ modulePath: 'package::main', debugFilePath: 'main', src });
  const [first] = ast.diagnostics;
  if (first) throw new Error(`not parsed: ${first.message}`);
  regroup(ast.moduleElem);
  const { bindings } = bindIdents({ rootAst: ast, resolver: new RecordResolver({}) });
  return { module: ast.moduleElem, bindings };
}

const LEVELS = ['||', '&&', '== != < <= > >=', '|', '^', '&', '<< >>', '+ -', '* / %'];
const levelOf = (op: string): number => LEVELS.findIndex((level) => level.split(' ').includes(op));

/**
 * wesl 0.7 reads `a < b * c + d` as `(a < b * c) + d`: an operator that binds less than the one before it, but more than the
 * one before that, goes to the wrong place. So each chain of operators is put together anew.
 */
function regroup(elem: AbstractElem): void {
  if (elem.kind !== 'binary-expression') {
    childElems(elem).forEach(regroup);
    return;
  }
  const operands: ExpressionElem[] = [];
  const operators: BinaryExpression['operator'][] = [];
  const collect = (expr: ExpressionElem): void => {
    if (expr.kind !== 'binary-expression') {
      operands.push(expr);
      return;
    }
    collect(expr.left);
    operators.push(expr.operator);
    collect(expr.right);
  };
  collect(elem);
  operands.forEach(regroup);
  const build = (from: number, to: number): ExpressionElem => {
    const only = operands[from];
    if (from === to && only) return only;
    // The last of the operators that bind least: all of WGSL's go from left to right.
    let split = from;
    for (let k = from; k < to; k++) {
      if (levelOf(operators[k]?.value ?? '') <= levelOf(operators[split]?.value ?? '')) split = k;
    }
    const operator = operators[split];
    if (!operator) throw new Error('an operator without operands');
    const [left, right] = [build(from, split), build(split + 1, to)];
    return {
      kind: 'binary-expression',
      operator,
      left,
      right,
      start: left.start,
      end: right.end,
    };
  };
  Object.assign(elem, build(0, operators.length));
}
