// Takes a library's name, and gives it, ready; each is imported when it is first asked for, and no other with it.
import type { Library, LibraryName } from '../types.ts';

const LOADERS: Record<LibraryName, () => Promise<Library>> = {
  copy: async () => (await import('./hand.ts')).load('copy'),
  'hand-written': async () => (await import('./hand.ts')).load('hand-written'),
  nonlin: async () => (await import('./nonlin.ts')).load('webgpu'),
  tfjs: async () => (await import('./tfjs-webgpu.ts')).load(),
  ort: async () => (await import('./ort.ts')).load(),
  jax: async () => (await import('./jax.ts')).load(),
  memcpy: async () => (await import('./memcpy.ts')).memcpy,
  'nonlin-cpu': async () => (await import('./nonlin.ts')).load('cpu'),
  before: async () => (await import('nonlin-before')).load('webgpu'),
  'before-cpu': async () => (await import('nonlin-before')).load('cpu'),
  'tfjs-cpu': async () => (await import('./tfjs-hosts.ts')).load('cpu'),
  'tfjs-wasm': async () => (await import('./tfjs-hosts.ts')).load('wasm'),
};

const loaded = new Map<LibraryName, Promise<Library>>();

export async function libraryOf(name: LibraryName): Promise<Library> {
  let library = loaded.get(name);
  if (!library) loaded.set(name, (library = LOADERS[name]()));
  return library;
}
