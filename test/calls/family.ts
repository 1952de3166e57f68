// What the tests need to know of some ops: valid calls, drawn and plain, and what they must refuse.
import type fc from 'fast-check';
import type { Arguments, Call } from './call.ts';
import type { Drawn, Values } from './draw.ts';
import type { Wrong } from './wrong.ts';

/** Ops that are called alike. */
export interface Family {
  readonly ops: readonly string[];
  /** Whether kernels are others on a hardware adapter: rows shared by a workgroup, other sums, tiles. */
  readonly adaptive?: true;
  /** Whether results follow from differences within a row, exact in float32 where half a ULP of each input decides all. */
  readonly shiftInvariant?: true;
  /** What is sums of products: float32 adds up terms, whatever they leave, and its error grows with their number. */
  readonly products?: 'all' | 'gradients';
  /** Whether derivatives jump where no drawn value tells: gradients are not compared where second differences say so. */
  readonly kinked?: true;
  /** Ops whose gradient is not the derivative, as a factor is held fixed: a test of their own says what it is. */
  readonly heldFixed?: readonly string[];
  /** Arguments to put in the place of a call's, where its gradient is that of what is behind them. */
  readonly through?: (args: Arguments) => Readonly<Record<string, unknown>>;
  /** Valid calls with values of a kind; of [rows, columns] where such shapes are drawn. */
  readonly draw: (op: string, kind: Values, drawn: Drawn) => fc.Arbitrary<Call>;
  /** One valid call, with every tensor it can take. */
  readonly valid: (op: string) => Call;
  /** The shape of that call's result. */
  readonly resultShape: (op: string) => readonly number[];
  /** What is wrong with these ops only, besides what is wrong with any tensor, option or `out`. */
  readonly wrongs: (op: string) => readonly Wrong[];
}
