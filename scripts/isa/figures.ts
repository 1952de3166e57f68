// What is said of a kernel: figures of its first variant, and the worst of all.
import type { Counts, Section } from './assembly.ts';
import type { Compiled, Family } from './compile.ts';
import { costOf, GPUS, pressure } from './gpus.ts';
import type { Built, Kernel, Results } from './kernels.ts';
import type { Dispatch } from './record.ts';

/** Elements that elementwise kernels take at once. */
const PACK = 4;

/** The least share of multiply-adds in the main loop of a product; polynomials of other kernels have fewer. */
const PRODUCT_SHARE = 0.35;

/** Whether a kernel's work is a product of matrices: mostly multiply-adds of what lies in workgroup memory. */
export function isProduct(main: Section): boolean {
  return main.shared > 0 && main.multiplyAdds >= 32 && multiplyShare(main) >= PRODUCT_SHARE;
}

/** The share of multiply-adds in the vector and workgroup-memory instructions of a product's main loop. */
export function multiplyShare({ multiplyAdds, vector, shared }: Section): number {
  return multiplyAdds / (vector + shared);
}

/** Vector instructions for four elements, or all of them where the main part touches none. */
export function perPack({ vector, elements }: Section): number {
  return elements > 0 ? (vector * PACK) / elements : vector;
}

export interface Figures {
  readonly kernel: Kernel;
  readonly compiled: Compiled;
  readonly perPack: number;
  /** In products only. */
  readonly multiplyShare: number | undefined;
  /** Bytes of all bound tensors for each element of the largest. */
  readonly bytesPerElement: number;
  /** See `pressure` in gpus.ts. */
  readonly pressure: number;
}

/** What went wrong in compiling, by variant; empty where nothing did. */
export function failuresOf(kernel: Kernel, family: Family, results: Results): string[] {
  return kernel.variants.flatMap(({ pipeline, call }) => {
    const result = results[family][pipeline] ?? 'not compiled';
    return typeof result === 'string' ? [`${kernel.name} (${call}): ${result}`] : [];
  });
}

export function compiledOf(kernel: Kernel, family: Family, results: Results): Compiled[] {
  return kernel.variants.flatMap(({ pipeline }) => {
    const result = results[family][pipeline];
    return typeof result === 'object' ? [result] : [];
  });
}

/** Figures of a kernel's first variant. */
export function figuresOf(kernel: Kernel, family: Family, results: Results): Figures | undefined {
  const [first] = kernel.variants;
  if (!first) return undefined;
  const compiled = results[family][first.pipeline];
  if (typeof compiled !== 'object') return undefined;
  const { main } = compiled.program;
  return {
    kernel,
    compiled,
    perPack: perPack(main),
    multiplyShare: isProduct(main) ? multiplyShare(main) : undefined,
    bytesPerElement: first.bytes / first.elements,
    pressure: pressure(main, GPUS[family]),
  };
}

/** One call on gfx1100, over all its launches. */
export interface CallFigures {
  readonly launches: number;
  /** Vector instructions of all lanes for an element of the call's largest tensor. */
  readonly vector: number;
  /** The same with transcendental ones four times. */
  readonly cost: number;
  /** Bytes of all bound tensors for an element. */
  readonly bytes: number;
  /** The most of any launch. */
  readonly vgprs: number;
  /** The fewest of any launch. */
  readonly waves: number;
  readonly spilled: number;
  /** Of the main loop of the product among them, that with the most multiply-adds. */
  readonly product?: { readonly share: number; readonly memory: number; readonly shared: number };
  /** What could not be compiled. */
  readonly failures: readonly string[];
}

/**
 * What a launch computes for an element of the call: what stands in no loop by invocation, what stands in loops by the
 * elements that a round takes. A loop that touches no memory is counted once, as its rounds are not known.
 */
function forAnElement(
  { program }: Compiled,
  workgroup: readonly number[],
  { workgroups, bytes }: Dispatch,
  elements: number,
  cost: (of: Counts) => number,
): number {
  const invocations = [...workgroup, ...workgroups].reduce((a, b) => a * b, 1);
  const own = Math.max(0, ...Object.values(bytes)) / 4;
  const parts = program.loops
    .filter(({ depth }) => depth === 0)
    .map((loop) =>
      loop.elements > 0 ? (cost(loop) / loop.elements) * own : cost(loop) * invocations,
    );
  return [cost(program.outside) * invocations, ...parts].reduce((a, b) => a + b, 0) / elements;
}

/** @param multiplies whether the call is a product of matrices, however it is made */
export function sumOf(
  { dispatches, elements }: { dispatches: readonly Dispatch[]; elements: number },
  { shaders, results }: Built,
  multiplies = false,
): CallFigures {
  const sums = { vector: 0, cost: 0, bytes: 0, vgprs: 0, waves: Infinity, spilled: 0 };
  const failures = new Set<string>();
  let product: CallFigures['product'];
  for (const dispatch of dispatches) {
    const compiled = results.gfx1100[dispatch.pipeline];
    const shader = shaders[dispatch.pipeline];
    if (typeof compiled !== 'object' || typeof shader !== 'object') {
      failures.add(typeof compiled === 'string' ? compiled : 'not compiled');
      continue;
    }
    const { workgroup } = shader;
    sums.vector += forAnElement(compiled, workgroup, dispatch, elements, ({ vector }) => vector);
    sums.cost += forAnElement(compiled, workgroup, dispatch, elements, costOf);
    sums.bytes += Object.values(dispatch.bytes).reduce((a, b) => a + b, 0) / elements;
    sums.vgprs = Math.max(sums.vgprs, compiled.vgprs);
    sums.waves = Math.min(sums.waves, compiled.waves);
    sums.spilled += compiled.spilled;
    const { main } = compiled.program;
    if (multiplies || isProduct(main)) {
      const { memory, shared } = main;
      const own = { share: multiplyShare(main), memory, shared };
      if (!product || own.share > product.share) product = own;
    }
  }
  return {
    launches: dispatches.length,
    ...sums,
    ...(product === undefined ? {} : { product }),
    failures: [...failures],
  };
}
