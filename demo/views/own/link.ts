// Takes code, and gives an address's parameters that hold it, compressed; and back, with words where they hold none.
import { FIRST, STARTS, startOf } from './starts.ts';
import type { Kind, OwnCode } from './protocol.ts';

/** A link that holds no code that could be shown; the message is for people. */
export class BrokenLink extends Error {
  override readonly name = 'BrokenLink';
}

/** What a link's code may be long, unpacked: a small file can unpack to one without end. */
const MOST_CHARACTERS = 100_000;
const KINDS: readonly Kind[] = ['activation', 'loss'];
const NAME = /^[a-z]\w{0,39}$/i;

/** Whether it may be the name of a function. */
export const isName = (text: string): boolean => NAME.test(text);

/** A starting point by its name, other code packed; undefined for what is not needed. */
export async function linkParams(
  code: OwnCode,
): Promise<Record<'start' | 'kind' | 'name' | 'code', string | undefined>> {
  const start = startOf(code);
  if (start) {
    const name = start === FIRST ? undefined : start.name;
    return { start: name, kind: undefined, name: undefined, code: undefined };
  }
  const { kind, name } = code;
  return { start: undefined, kind, name, code: await pack(code) };
}

/** The code that an address holds. Throws `BrokenLink` where it holds something else. */
export async function codeOf(params: URLSearchParams): Promise<OwnCode> {
  const packed = params.get('code');
  if (packed === null) {
    const wanted = params.get('start');
    const start = wanted === null ? FIRST : STARTS.find(({ name }) => name === wanted);
    if (start) return start;
    throw new BrokenLink(`There is no starting point “${wanted ?? ''}”.`);
  }
  const kind = KINDS.find((one) => one === params.get('kind'));
  const name = params.get('name') ?? 'mine';
  if (!kind) throw new BrokenLink('The link does not say whether it is an activation or a loss.');
  if (!isName(name)) throw new BrokenLink('The name in the link is not one that code can have.');
  const [wgsl, js] = await unpack(packed);
  return { kind, name, wgsl, js };
}

async function pack({ wgsl, js }: OwnCode): Promise<string> {
  const bytes = new Blob([JSON.stringify([wgsl, js])])
    .stream()
    .pipeThrough(new CompressionStream('deflate-raw'));
  const packed = new Uint8Array(await new Response(bytes).arrayBuffer());
  const text = btoa(Array.from(packed, (byte) => String.fromCharCode(byte)).join(''));
  return text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

async function unpack(packed: string): Promise<readonly [string, string]> {
  const broken = new BrokenLink('The code in the link is cut off or changed: it cannot be read.');
  let text: string;
  try {
    const binary = atob(packed.replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    const stream = new Blob([bytes])
      .stream()
      .pipeThrough(new DecompressionStream('deflate-raw'))
      .pipeThrough(new TextDecoderStream('utf-8', { fatal: true }));
    text = await limited(stream);
  } catch (error) {
    throw error instanceof BrokenLink ? error : broken;
  }
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    throw broken;
  }
  if (!Array.isArray(found) || found.length !== 2) throw broken;
  const [wgsl, js] = found as unknown[];
  if (typeof wgsl !== 'string' || typeof js !== 'string') throw broken;
  return [wgsl, js];
}

async function limited(stream: ReadableStream<string>): Promise<string> {
  const reader = stream.getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text;
    text += value;
    if (text.length > MOST_CHARACTERS) {
      await reader.cancel();
      throw new BrokenLink('The code in the link is longer than this page takes.');
    }
  }
}

/** The parameters of an address that holds no code. */
export const NO_CODE = {
  start: undefined,
  kind: undefined,
  name: undefined,
  code: undefined,
  set: undefined,
};
