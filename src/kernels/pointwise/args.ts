// What a pointwise op declares, and the arguments of one call.
import type { NumericArray } from '../../core/dtype.ts';
import type { Shape } from '../../core/shape.ts';
import type { Source } from '../../shader/link.ts';
import type { ParamLayout, ParamValues } from '../../shader/params.ts';

/** One result from one or two elements and the options. */
export type Unary = (a: number, p: ParamValues) => number;
export type UnaryAll = (a: NumericArray, y: NumericArray, p: ParamValues) => void;
export type Binary = (a: number, b: number, p: ParamValues) => number;

/** An op in float64: from the inputs `v` of one element to its results `r`. */
export type PointwiseReference = (
  v: Float64Array,
  r: Float64Array,
  p: ParamValues,
  index: number,
  scale: number,
) => void;

/** A pointwise op. Ops are declared once, at module level. */
export interface PointwiseOp {
  readonly name: string;
  /** WGSL functions that `body` calls, if there are any. */
  readonly source?: Source;
  readonly params: ParamLayout;
  /** Names of the input elements in `body`: f32, or i32 of an int32 tensor. */
  readonly inputs: readonly string[];
  /** Number of results, the summed one included. */
  readonly results: number;
  /** WGSL: statements that return `Results(...)` from the inputs' names, `index`, `p` (the options) and `u.scale`. */
  readonly body: string;
  /** The same in float64. Not needed where `unary` or `binary` says it. */
  readonly reference?: PointwiseReference;
  /** The same in float64 for one result and one or two inputs. The CPU then has shorter loops. */
  readonly unary?: Unary;
  /** The whole CPU loop, for ops where a loop of its own is worth it. */
  readonly unaryAll?: UnaryAll;
  readonly binary?: Binary;
  /** If result k and input `inPlace[k]` are in the same buffer, the result overwrites the input. */
  readonly inPlace?: readonly number[];
}

export interface PointwiseArgs {
  readonly op: PointwiseOp;
  readonly params: ParamValues;
  /** The broadcast shape, which every output has except a sum. */
  readonly shape: Shape;
  /** If given, the first result is summed into a scalar and divided by this number. */
  readonly sum?: number;
  readonly scale?: number;
}
