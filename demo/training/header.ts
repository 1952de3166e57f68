// Takes the bytes of a safetensors file, and gives the names and shapes of its tensors.

export interface Shaped {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Of the header of a file that was found to be right. */
export function shapesOf(bytes: ArrayBuffer): Shaped[] {
  const length = Number(new DataView(bytes).getBigUint64(0, true));
  const text = new TextDecoder().decode(new Uint8Array(bytes, 8, length));
  const header = JSON.parse(text) as Record<string, { readonly shape: readonly number[] }>;
  return Object.entries(header).flatMap(([name, { shape }]) =>
    name === '__metadata__' ? [] : [{ name, shape }],
  );
}
