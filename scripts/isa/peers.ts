// The same figures for what other libraries launch: their WGSL is taken from the benchmark's page, whose adapter is presented
// as a hardware GPU, so that each takes its plan for one. Kept in peers.json, as the libraries have to be installed for it.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import type { Bench } from '../../bench/page/main.ts';
import { ELEMENTWISE, ROWWISE } from '../../bench/page/ops.mjs';
import type { GpuLibraryName, OpName, Shape } from '../../bench/page/types.ts';
import { sumOf, type CallFigures } from './figures.ts';
import { build } from './kernels.ts';
import { record, type Dispatch, type Pipeline, type Recording } from './record.ts';
import type { Tools } from './tools.ts';

export const LIBRARIES = ['nonlin', 'tfjs', 'ort', 'jax'] as const;
type Library = (typeof LIBRARIES)[number];

const SIZE = 512;
const CALLS: readonly (readonly [op: OpName | 'matmul', shape: Shape])[] = [
  ...ELEMENTWISE.map((op) => [op, [1000, 1000]] as const),
  ...ROWWISE.map((op) => [op, [1024, 1024]] as const),
  ['matmul', [SIZE, SIZE]],
];

/** One op of one library on gfx1100, over all its launches. */
export interface PeerFigures extends CallFigures {
  readonly op: string;
  readonly shape: Shape;
  readonly library: Library;
  /** What the call itself failed by. */
  readonly error?: string;
}

const path = fileURLToPath(new URL('peers.json', import.meta.url));

export interface Peers {
  readonly versions: Readonly<Record<string, string>>;
  readonly figures: readonly PeerFigures[];
}

export function readPeers(): Peers | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Peers;
  } catch {
    return undefined;
  }
}

/** Runs in the page, ahead of all else. */
function presentAsHardware(): void {
  const info = {
    vendor: 'amd',
    architecture: 'rdna-3',
    device: '',
    description: '',
    isFallbackAdapter: false,
    subgroupMinSize: 32,
    subgroupMaxSize: 64,
  };
  Object.defineProperty(GPUAdapter.prototype, 'info', { get: () => info });
  Object.defineProperty(GPUDevice.prototype, 'adapterInfo', { get: () => info });
}

interface Launched {
  readonly op: OpName | 'matmul';
  readonly shape: Shape;
  readonly library: Library;
  readonly dispatches: readonly Dispatch[];
  readonly error?: string;
}

async function launches(tell: (step: string) => void): Promise<{
  launched: Launched[];
  pipelines: Pipeline[];
}> {
  const { servePages } = await import('../../bench/pages.mjs');
  const { chromium } = await import('playwright');
  const { launchOptions } = await import('../browser.mjs');
  const site = await servePages();
  const launched: Launched[] = [];
  const pipelines: Pipeline[] = [];
  try {
    for (const library of LIBRARIES) {
      tell(library);
      // A browser of its own: what one library does is not to be taken for another's.
      const browser = await chromium.launch(launchOptions());
      try {
        const page = await browser.newPage();
        page.setDefaultTimeout(300_000);
        await page.addInitScript({
          content: `(${record.toString()})(globalThis); (${presentAsHardware.toString()})();`,
        });
        await page.goto(site.url);
        await page.waitForFunction(() => 'bench' in globalThis);
        for (const [op, shape] of CALLS) {
          const result = await page.evaluate(callInPage, { library, op, shape });
          if (result === null) continue;
          const dispatches = result.dispatches.map((one) => ({
            ...one,
            pipeline: one.pipeline + pipelines.length,
          }));
          const { error } = result;
          launched.push({ op, shape, library, dispatches, ...(error === '' ? {} : { error }) });
        }
        pipelines.push(
          ...(await page.evaluate(
            () => (Reflect.get(globalThis, 'recording') as Recording).pipelines,
          )),
        );
      } finally {
        await browser.close();
      }
    }
  } finally {
    await site.close();
  }
  return { launched, pipelines };
}

/** Runs in the page: one call of an op, and what it dispatched; null where the library has none. */
async function callInPage({
  library,
  op,
  shape,
}: {
  library: GpuLibraryName;
  op: OpName | 'matmul';
  shape: Shape;
}): Promise<{ dispatches: Dispatch[]; error: string } | null> {
  const bench = Reflect.get(globalThis, 'bench') as Bench;
  const recording = Reflect.get(globalThis, 'recording') as Recording;
  const ready = (): void => {
    recording.dispatches = [];
  };
  try {
    const there =
      op === 'matmul'
        ? await bench.multiply(library, shape[0], ready)
        : await bench.launch(library, op, shape, ready);
    return there ? { dispatches: recording.dispatches, error: '' } : null;
  } catch (error) {
    return { dispatches: [], error: String(error) };
  }
}

/** Takes the figures of the other libraries, and keeps them. */
export async function measurePeers(tools: Tools, tell: (step: string) => void): Promise<void> {
  const { installPeers, peers, ownVersion } = await import('../../bench/install.mjs');
  installPeers();
  const { launched, pipelines } = await launches(tell);
  const { shaders, results } = await build(
    { pipelines, elementBytes: pipelines.map(() => 4) },
    ['gfx1100'],
    tools,
  );
  const figures = launched.map(({ op, shape, library, dispatches, error }): PeerFigures => {
    const about = { op, shape, library };
    const elements = shape[0] * shape[1];
    const failed = error === undefined ? {} : { error };
    return {
      ...about,
      ...sumOf({ dispatches, elements }, { shaders, results }, op === 'matmul'),
      ...failed,
    };
  });
  const versions = { nonlin: ownVersion(), ...peers() };
  const options = { ...(await resolveConfig(path)), filepath: path };
  writeFileSync(path, await format(JSON.stringify({ versions, figures }, null, 1), options));
}
