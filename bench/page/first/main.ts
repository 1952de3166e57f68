// A page of its own, built apart from the other: programs that use relu and nothing else, so that a bundler takes no more.
// In: a library's name, in a browser that has just started. Out: milliseconds from its import to the first result of relu.
import { inputsOf } from '../cases.ts';
import type { LibraryName } from '../types.ts';
import { firstResult, judge, type Program } from './result.ts';

const LOADERS: Partial<Record<LibraryName, () => Promise<Program>>> = {
  'hand-written': async () => (await import('../libraries/hand.ts')).load('hand-written'),
  nonlin: async () => (await import('./nonlin.ts')).load(),
  tfjs: async () => (await import('../libraries/tfjs-webgpu.ts')).load(),
  ort: async () => (await import('../libraries/ort.ts')).load(),
  jax: async () => (await import('../libraries/jax.ts')).load(),
};

const bench = {
  first: async (name: LibraryName): Promise<number> => {
    const load = LOADERS[name];
    if (!load) throw new Error(`no program of ${name}`);
    const inputs = inputsOf('relu', [64, 100]);
    const start = performance.now();
    const result = await firstResult(await load(), 'relu', inputs);
    const time = performance.now() - start;
    judge('relu', inputs, result);
    return time;
  },
};

export type FirstBench = typeof bench;
Object.assign(globalThis, { bench });
