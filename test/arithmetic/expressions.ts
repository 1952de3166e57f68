// What is known of an expression of a shader: whether it computes, its floats, what it surely equals.
import { refTarget, type ExpressionElem, type LinkBindings, type Type } from 'wesl';

/** Built-ins that compute: their operands and results may be flushed. Others move bits. */
export const COMPUTING = new Set(
  (
    'abs ceil clamp cos cosh distance dot exp exp2 floor fma fract inverseSqrt length log log2 max min mix ' +
    'normalize pow round saturate sign sin sinh smoothstep sqrt step tan tanh trunc'
  ).split(' '),
);
export const ARITHMETIC = new Set(['+', '-', '*', '/', '%']);
export const COMPARISONS = new Set(['==', '!=', '<', '<=', '>', '>=']);
/** Components of a float or a vector of floats that is computed at run time; undefined for every other type. */
export function floats(type: Type): number | undefined {
  if (type.kind === 'scalar') return type.scalar === 'f32' ? 1 : undefined;
  if (type.kind === 'vector') return type.elem.scalar === 'f32' ? type.size : undefined;
  return undefined;
}

/** What is equal for two expressions that surely have one value, wherever they stand in a function. */
export function sameAs(
  expr: ExpressionElem,
  code: string,
  bindings: LinkBindings,
): string | undefined {
  switch (expr.kind) {
    case 'component-member-expression': {
      const base = sameAs(expr.base, code, bindings);
      return base && `${base}${code.slice(expr.base.end, expr.end)}`;
    }
    case 'literal':
      return `constant ${code.slice(expr.start, expr.end).replace(/(?<=\d)f$/, '')}`;
    case 'parenthesized-expression':
      return sameAs(expr.expression, code, bindings);
    case 'ref': {
      const target = refTarget(expr.ident, bindings);
      const decl = typeof target === 'string' ? undefined : target.declElem;
      if (decl?.kind === 'const') return `constant ${expr.ident.originalName}`;
      return decl?.kind === 'let' || decl?.kind === 'param'
        ? `value ${expr.ident.originalName} ${decl.start}`
        : undefined;
    }
    default:
      return undefined;
  }
}

/** Whether it is the result of an operation, which has been flushed. */
export function isFlushed(expr: ExpressionElem, bindings: LinkBindings): boolean {
  switch (expr.kind) {
    case 'literal':
      return true;
    case 'parenthesized-expression':
    case 'unary-expression':
      return isFlushed(expr.expression, bindings);
    case 'binary-expression':
      return ARITHMETIC.has(expr.operator.value);
    case 'call-expression': {
      const { function: callee } = expr;
      return callee.kind === 'ref' && COMPUTING.has(callee.ident.originalName);
    }
    case 'ref': {
      const target = refTarget(expr.ident, bindings);
      const decl = typeof target === 'string' ? undefined : target.declElem;
      return (
        decl?.kind === 'const' ||
        (decl?.kind === 'let' && decl.init !== undefined && isFlushed(decl.init, bindings))
      );
    }
    default:
      return false;
  }
}
