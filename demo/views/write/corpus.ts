// Takes where a text comes from, and gives it, and what is said of one that is too short.
import type { Source } from './protocol.ts';

/** Of a text one part in ten is held out, and has to be longer than what the model sees at a time. */
export const leastLength = (context: number): number => 20 * (context + 2);

/** Undefined where the text will do. */
export function faultOf(text: string, context: number): string | undefined {
  const least = leastLength(context);
  if (text.length >= least) return undefined;
  return `The text has ${text.length.toLocaleString('en')} characters; a model of this size needs at least ${least.toLocaleString('en')}.`;
}

/** Unzips what a server may have unzipped on its way. */
export async function decodeText(file: Uint8Array<ArrayBuffer>): Promise<string> {
  if (file[0] !== 0x1f || file[1] !== 0x8b) return new TextDecoder().decode(file);
  const stream = new Blob([file]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(stream).text();
}

export async function readSource(source: Source): Promise<string> {
  if (source.kind === 'own') return source.text.replaceAll('\r\n', '\n');
  const response = await fetch(source.url);
  if (!response.ok) throw new Error(`the text could not be loaded: HTTP ${response.status}`);
  return decodeText(new Uint8Array(await response.arrayBuffer()));
}
