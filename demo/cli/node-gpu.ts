// WebGPU's entry point from the optional npm package `webgpu`, or undefined where it cannot be had.

/** Dawn in Node. Without the package, or without a driver that it can use, there is none. */
export async function nodeGpu(): Promise<GPU | undefined> {
  try {
    const { create, globals } = await import('webgpu');
    // the constants and classes that a browser has as globals
    Object.assign(globalThis, globals);
    return create([]);
  } catch {
    // optional: `init` goes on without it, or says that WebGPU was asked for and is not there
    return undefined;
  }
}
