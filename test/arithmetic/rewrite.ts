// Takes WGSL and a freedom that hardware has with float arithmetic, and gives the same shader with that freedom taken at
// every operation, by functions of helpers.ts, so that any adapter computes as such hardware would.
import {
  childElems,
  refTarget,
  typeOfExpr,
  type AbstractElem,
  type AssignElem,
  type BinaryExpression,
  type ExpressionElem,
  type FunctionCallExpression,
  type LetElem,
  type Type,
} from 'wesl';
import { ARITHMETIC, COMPARISONS, COMPUTING, floats, isFlushed, sameAs } from './expressions.ts';
import { HELPERS, type Arithmetic } from './helpers.ts';
import { parse, type Parsed } from './parse.ts';

/** Evaluated by the compiler, which is exact: or no expression at all. */
const KEPT = new Set(['attribute', 'const', 'override', 'gvar', 'struct', 'alias', 'type']);

/** An element that the parser read, not one that its linker added. */
type Spanned = Exclude<AbstractElem, { kind: 'synthetic' }>;

/** The factors of a product, as text. `same`: what is equal for two factors that surely are; undefined where they may differ. */
type Factors = readonly [string, string];
type Same = readonly [string | undefined, string | undefined];
interface Product {
  readonly factors: Factors;
  readonly same: Same;
}

class Rewriter {
  readonly #code: string;
  readonly #mode: Arithmetic;
  readonly #parsed: Parsed;
  /** Products that a `let` names: their factors have names too, as compilers contract across statements. */
  readonly #named = new Map<LetElem, Product>();

  constructor(code: string, mode: Arithmetic) {
    this.#code = code;
    this.#mode = mode;
    this.#parsed = parse(code);
  }

  all(): string {
    return this.#within(this.#parsed.module);
  }

  /** An element's text, rewritten. */
  #text(elem: Spanned): string {
    if (KEPT.has(elem.kind)) return this.#code.slice(elem.start, elem.end);
    const own =
      elem.kind === 'binary-expression'
        ? this.#binary(elem)
        : elem.kind === 'call-expression'
          ? this.#call(elem)
          : elem.kind === 'assign'
            ? this.#assign(elem)
            : elem.kind === 'let'
              ? this.#let(elem)
              : undefined;
    return own ?? this.#within(elem);
  }

  /** The source text, with what its parts become. */
  #within(elem: Spanned): string {
    let text = '';
    let at = elem.start;
    for (const child of childElems(elem)) {
      if (child.kind === 'synthetic') continue;
      text += this.#code.slice(at, child.start) + this.#text(child);
      at = child.end;
    }
    return text + this.#code.slice(at, elem.end);
  }

  #type(expr: ExpressionElem): Type {
    return typeOfExpr(expr, { bindings: this.#parsed.bindings });
  }

  /** How many floats a computed expression has; an expression of unknown type is an error, so that none is left out. */
  #floats(expr: ExpressionElem): number | undefined {
    const type = this.#type(expr);
    if (type.kind === 'unknown') {
      throw new Error(`no type for ${this.#code.slice(expr.start, expr.end)}`);
    }
    return floats(type);
  }

  /** An operand as a vector of `size`: WGSL's operators take a number beside a vector, functions do not. */
  #spread(expr: ExpressionElem, size: number, text = this.#text(expr)): string {
    return size > 1 && this.#type(expr).kind === 'scalar' ? `vec${size}f(${text})` : text;
  }

  #binary(expr: BinaryExpression): string | undefined {
    const op = expr.operator.value;
    if (COMPARISONS.has(op)) return this.#compare(expr);
    return ARITHMETIC.has(op) ? this.#operation(op, expr, expr.left, expr.right) : undefined;
  }

  #compare({ operator, left, right }: BinaryExpression): string | undefined {
    if (this.#mode !== 'flush') return undefined;
    const size = this.#floats(left) ?? this.#floats(right);
    if (size === undefined) return undefined;
    const text = this.#code.slice(...operator.span);
    return `(${this.#flushed(left, size)} ${text} ${this.#flushed(right, size)})`;
  }

  /** `left op right`, where `whole` has the type of the result. */
  #operation(
    op: string,
    whole: ExpressionElem,
    left: ExpressionElem,
    right: ExpressionElem,
  ): string | undefined {
    const size = this.#floats(whole);
    if (size === undefined) return undefined;
    switch (this.#mode) {
      case 'rcp+':
      case 'rcp-':
        if (op !== '/') return undefined;
        return `${named('arith_div', size)}(${this.#spread(left, size)}, ${this.#spread(right, size)})`;
      case 'contract':
        return this.#contract(op, size, left, right);
      case 'flush': {
        const value = `${this.#flushed(left, size)} ${op} ${this.#flushed(right, size)}`;
        return `${named('arith_flush', size)}(${value})`;
      }
      case 'reorder':
        return op === '*' ? this.#carry(size, left, right) : this.#factor(op, size, left, right);
    }
  }

  /** a b + a c as a (b + c). */
  #factor(
    op: string,
    size: number,
    left: ExpressionElem,
    right: ExpressionElem,
  ): string | undefined {
    if (op !== '+' && op !== '-') return undefined;
    const first = this.#product(left, size);
    const second = this.#product(right, size);
    if (!first || !second) return undefined;
    for (const i of [0, 1] as const) {
      for (const j of [0, 1] as const) {
        if (first.same[i] === undefined || first.same[i] !== second.same[j]) continue;
        const [common, b, c] = [first.factors[i], first.factors[1 - i], second.factors[1 - j]];
        return `((${common}) * ((${b}) ${op} (${c})))`;
      }
    }
    return undefined;
  }

  /** (a b) C, of a constant C, as (a C) b. */
  #carry(size: number, left: ExpressionElem, right: ExpressionElem): string | undefined {
    for (const [product, constant] of [
      [left, right],
      [right, left],
    ] as const) {
      const inner = this.#isConstant(constant) && this.#product(product, size);
      if (!inner || inner.same.some((one) => one?.startsWith('constant '))) continue;
      const [a, b] = inner.factors;
      return `(((${a}) * ${this.#spread(constant, size)}) * (${b}))`;
    }
    return undefined;
  }

  #carried(expr: ExpressionElem, size: number): boolean {
    if (expr.kind === 'parenthesized-expression') return this.#carried(expr.expression, size);
    if (expr.kind !== 'binary-expression' || expr.operator.value !== '*') return false;
    return this.#carry(size, expr.left, expr.right) !== undefined;
  }

  #isConstant(expr: ExpressionElem): boolean {
    return this.#same(expr)?.startsWith('constant ') ?? false;
  }

  #same(expr: ExpressionElem): string | undefined {
    return sameAs(expr, this.#code, this.#parsed.bindings);
  }

  #contract(
    op: string,
    size: number,
    left: ExpressionElem,
    right: ExpressionElem,
  ): string | undefined {
    if (op !== '+' && op !== '-') return undefined;
    const fma = named('arith_fma', size);
    const minus = op === '-' ? '-' : '';
    const first = this.#product(left, size)?.factors;
    if (first) {
      const [a, b] = first;
      return `${fma}(${a}, ${b}, ${minus}(${this.#spread(right, size)}))`;
    }
    const second = this.#product(right, size)?.factors;
    if (!second) return undefined;
    const [a, b] = second;
    return `${fma}(${minus}(${a}), ${b}, ${this.#spread(left, size)})`;
  }

  /** The factors of an expression that is a product of floats, or the name of one. */
  #product(expr: ExpressionElem, size: number): Product | undefined {
    if (expr.kind === 'parenthesized-expression') return this.#product(expr.expression, size);
    if (expr.kind === 'unary-expression' && expr.operator.value === '-') {
      const inner = this.#product(expr.expression, size);
      if (!inner) return undefined;
      const { factors, same } = inner;
      return { factors: [`-(${factors[0]})`, factors[1]], same: [undefined, same[1]] };
    }
    if (expr.kind === 'ref') {
      const target = refTarget(expr.ident, this.#parsed.bindings);
      const decl = typeof target === 'string' ? undefined : target.declElem;
      const factors = decl?.kind === 'let' ? this.#named.get(decl) : undefined;
      return this.#floats(expr) === size ? factors : undefined;
    }
    if (expr.kind !== 'binary-expression' || expr.operator.value !== '*') return undefined;
    if (this.#floats(expr) !== size) return undefined;
    return {
      factors: [this.#spread(expr.left, size), this.#spread(expr.right, size)],
      same: [this.#same(expr.left), this.#same(expr.right)],
    };
  }

  #let(elem: LetElem): string | undefined {
    const looks = this.#mode === 'contract' || this.#mode === 'reorder';
    const size = looks && elem.init && this.#floats(elem.init);
    if (!size || !elem.init) return undefined;
    // Its last factor is carried into the product of the others.
    if (this.#mode === 'reorder' && this.#carried(elem.init, size)) return undefined;
    const product = this.#product(elem.init, size);
    if (!product) return undefined;
    const name = elem.name.decl.ident.originalName;
    const names = [`arith_a${elem.start}`, `arith_b${elem.start}`] as const;
    this.#named.set(elem, { factors: names, same: product.same });
    const [a, b] = product.factors;
    return `let ${names[0]} = ${a}; let ${names[1]} = ${b}; let ${name} = ${names[0]} * ${names[1]};`;
  }

  #assign(elem: AssignElem): string | undefined {
    const { lhs, op, rhs } = elem;
    const operator = op.value.slice(0, -1);
    if (lhs.kind === 'phony' || !ARITHMETIC.has(operator)) return undefined;
    const value = this.#operation(operator, lhs, lhs, rhs);
    // The third part of a `for` has no semicolon.
    const end = this.#code[elem.end - 1] === ';' ? ';' : '';
    return value && `${this.#text(lhs)} = ${value}${end}`;
  }

  #call(call: FunctionCallExpression): string | undefined {
    const callee = call.function;
    if (callee.kind !== 'ref' || refTarget(callee.ident, this.#parsed.bindings) !== 'std') {
      return undefined;
    }
    const name = callee.ident.originalName;
    if (this.#mode === 'contract' && name === 'fma') {
      const size = this.#floats(call);
      if (size === undefined) return undefined;
      return `${named('arith_fma', size)}(${call.arguments.map((one) => this.#text(one)).join(', ')})`;
    }
    if (this.#mode !== 'flush' || !COMPUTING.has(name)) return undefined;
    const size = this.#floats(call);
    if (size === undefined) return undefined;
    const values = call.arguments.map((one) => this.#flushed(one, this.#floats(one) ?? 1));
    return `${named('arith_flush', size)}(${name}(${values.join(', ')}))`;
  }

  /** An operand, flushed unless it is the result of an operation, which has been. */
  #flushed(expr: ExpressionElem, size: number): string {
    if (isFlushed(expr, this.#parsed.bindings)) return this.#text(expr);
    // A number beside a vector stays one.
    return `${named('arith_flush', this.#type(expr).kind === 'vector' ? size : 1)}(${this.#text(expr)})`;
  }
}

/** A helper's name for a number, or for a vector of `size`. */
const named = (name: string, size: number): string => (size > 1 ? `${name}${size}` : name);

/** The shader as hardware with this freedom runs it. */
export function rewrite(code: string, mode: Arithmetic): string {
  return `${new Rewriter(code, mode).all()}\n${HELPERS[mode]}`;
}
