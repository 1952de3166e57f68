// How an adapter likes its work. `init` chooses one of the two records; planners and the device read its fields, and never
// ask which adapter they have.

/** What planners need to know of how fast an adapter does things. Each field says what was measured. */
export interface Tuning {
  /** Invocations of a workgroup of the elementwise kernel. */
  readonly workgroup: number;
  /**
   * Whether the invocations of a workgroup take packs (of four elements) in turns, so that neighbours read neighbouring
   * memory. Otherwise each takes a contiguous stretch: an emulator runs invocations one after another.
   */
  readonly interleaved: boolean;
  /** Packs are shared out to about so many invocations, */
  readonly invocations: number;
  /** of which each takes at most so many packs (as long as the dispatch limit allows). */
  readonly packsPerInvocation: number;
  /** Invocations, and thus partial sums, of an elementwise kernel that sums. Each takes at least 16 packs. */
  readonly partialSums: number;
  /** Elements below which one invocation computes one element, so that the op is compiled once and not four times. 0: never. */
  readonly scalarBelow: number;
  /** Invocations of the single workgroup that adds up what others left. */
  readonly finishWorkgroup: number;
  /** Sums of rows, at most, that this workgroup is given. */
  readonly rowSums: number;
  /** Whether barriers are cheap enough for a workgroup to share a row. */
  readonly rowsByWorkgroup: boolean;
  /** Invocations of a workgroup of which each has a row of its own: more where there are many rows. */
  readonly rowWorkgroup: { readonly least: number; readonly most: number };
  /** Quads (of four elements) that are loaded together where a row does not fit in registers. */
  readonly rowBlock: number;
  /** How rows are split into chunks where each invocation has a chunk: for so many of them, each of at least `shortest` elements. */
  readonly chunks: { readonly invocations: number; readonly shortest: number };
  /** Invocations that share the rows of a chunk of logits in `linearCrossEntropy`. */
  readonly logitsInvocations: number;
  /** `tiled`: through workgroup memory. `direct`: from memory to registers, without barriers. */
  readonly matmul: 'tiled' | 'direct';
  /** Multiplications from which an invocation of `direct` computes 16 × 16 results rather than 8 × 8. */
  readonly largeProduct: number;
  /** Units from which a copy with strides is compiled for the rank of its box, rather than with a loop over dimensions. */
  readonly ranksFrom: number;
  /** Whether attention goes by tiles in workgroup memory; else an invocation has a whole row. */
  readonly attentionByTiles: boolean;
  /** Workgroups that keep the adapter busy in a product of matrices, by kernel: with fewer, the terms of each sum are split. */
  readonly productWorkgroups: {
    readonly tiled: number;
    readonly fewRows: number;
    readonly direct: number;
  };
  /** Whether the steps of a CTC lattice are separated by barriers; else one invocation has a whole batch element. */
  readonly ctcByWorkgroup: boolean;
  /** Whether the lengths of arrays are read once, ahead of loops (`shader/lengths.ts`). */
  readonly hoistArrayLengths: boolean;
}

/** GPUs: thousands of invocations at once, neighbours that read neighbouring memory, cheap barriers. */
export const HARDWARE: Tuning = {
  workgroup: 256,
  interleaved: true,
  // With fewer, small tensors would leave most of a GPU idle.
  invocations: 65_536,
  packsPerInvocation: 4,
  partialSums: 65_536,
  scalarBelow: 0,
  finishWorkgroup: 256,
  rowSums: 16_384,
  rowsByWorkgroup: true,
  rowWorkgroup: { least: 64, most: 64 },
  rowBlock: 4,
  chunks: { invocations: 16_384, shortest: 64 },
  logitsInvocations: 16_384,
  matmul: 'tiled',
  largeProduct: Infinity,
  ranksFrom: Infinity,
  attentionByTiles: true,
  productWorkgroups: { tiled: 128, fewRows: 512, direct: 1 },
  ctcByWorkgroup: true,
  hoistArrayLengths: false,
};

/** `SOFTWARE.scalarBelow`, apart from the record: ops that are warmed up need no more of it. */
export const SOFTWARE_SCALAR_BELOW = 8192;

/**
 * SwiftShader and lavapipe, which run the invocations of a workgroup four or eight at a time, each group from start to end,
 * on the cores of the CPU. Measured on SwiftShader: a barrier takes 5 µs for a workgroup of 32 and 79 µs for one of 256, as
 * long as a thousand loads; compiling takes longer than running for the calls that tests make.
 */
export const SOFTWARE: Tuning = {
  // With 128 packs an invocation the fastest of all powers of two.
  workgroup: 32,
  interleaved: false,
  invocations: 128,
  packsPerInvocation: 128,
  partialSums: 256,
  // Compiling an activation takes half as long; the call itself up to 50 µs longer.
  scalarBelow: SOFTWARE_SCALAR_BELOW,
  finishWorkgroup: 16,
  rowSums: 128,
  rowsByWorkgroup: false,
  // Few rows are shared out to several cores; many take 5 % longer in workgroups of 16.
  rowWorkgroup: { least: 16, most: 64 },
  // A loop stores what it carries at every turn: with two quads a turn cross-entropy of 64 × 32,000 takes 0.65 of the time that
  // it takes with one. With four it is no faster, and takes longer to compile.
  rowBlock: 2,
  chunks: { invocations: 256, shortest: 512 },
  logitsInvocations: 512,
  // SwiftShader takes much longer to compile loops with barriers, and a barrier costs more than the loads that it saves.
  matmul: 'direct',
  // Products of 1,024 × 128 by 128 × 512 take 0.67 of the time, and 1.5 to 4 times as long to compile.
  largeProduct: 2 ** 20,
  // An index that is known at run time alone takes SwiftShader 42 ns, for four invocations, a constant one 3: heads apart from
  // tokens, [16, 64, 4, 32], take a third of the time.
  ranksFrom: 2 ** 13,
  attentionByTiles: false,
  productWorkgroups: { tiled: 1, fewRows: 1, direct: 1 },
  ctcByWorkgroup: false,
  // Browsers hold every index to the length of its array, which SwiftShader computes by a division at each access:
  // relu of a million elements takes 0.7 of the time, gelu 0.8, softmax 0.9.
  hoistArrayLengths: true,
};
