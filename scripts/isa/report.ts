// The figures as tables: for the terminal, and docs/hardware.md.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { costOf, GPUS, instructionsPerByte } from './gpus.ts';
import { FAMILIES, type Family } from './compile.ts';
import type { Launches } from './calls.ts';
import { compiledOf, figuresOf, perPack, sumOf } from './figures.ts';
import type { CallFigures, Figures } from './figures.ts';
import type { Built, Gathered, Kernel, Results } from './kernels.ts';
import { readPeers, type Peers } from './peers.ts';

const digits = (x: number): string => (Number.isFinite(x) ? String(Number(x.toPrecision(3))) : '');

/** What bounds a kernel, and how busy the vector units are while the memory moves what the main loop moves. */
function boundOf({ pressure, multiplyShare }: Figures): string {
  if (!Number.isFinite(pressure)) return '';
  if (multiplyShare !== undefined) return 'arithmetic';
  return pressure > 1 ? `arithmetic, ${digits(pressure)}` : `memory, ${digits(pressure)}`;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Every kernel of a family in a line, all variants of it below. */
export function terminal(kernels: readonly Kernel[], family: Family, results: Results): string {
  const lines = [`\n${family} (${GPUS[family].name})`];
  for (const kernel of kernels) {
    lines.push(kernel.name);
    const widest = Math.max(...kernel.variants.map(({ call }) => call.length));
    for (const { pipeline, call } of kernel.variants) {
      const compiled = results[family][pipeline];
      if (typeof compiled !== 'object') {
        lines.push(`  ${call}: ${compiled ?? 'not compiled'}`);
        continue;
      }
      const { vgprs, sgprs, spilled, scalarsSpilled, scratch, waves, shared, program } = compiled;
      const { main, whole } = program;
      lines.push(
        `  ${call.slice(0, 60).padEnd(Math.min(widest, 60))} vgpr ${vgprs} sgpr ${sgprs} spill ${spilled}, ${scalarsSpilled} scalar; scratch ${scratch} ` +
          `waves ${waves} lds ${shared} | vector ${whole.vector}, main ${main.vector} a ${main.elements} elements = ` +
          `${digits(perPack(main))} a pack, fma ${main.multiplyAdds}, trans ${main.transcendental}, ` +
          `mem ${main.memory} (${main.memoryBytes} B), lds ${main.shared}, barriers ${whole.barriers}`,
      );
    }
  }
  return lines.join('\n');
}

/** The assembly of each kernel's first variant, where it was kept. */
export function assemblies(kernels: readonly Kernel[], family: Family, results: Results): string {
  const texts = kernels.map(({ name, variants }) => {
    const compiled = results[family][variants[0]?.pipeline ?? -1];
    const text = typeof compiled === 'object' ? compiled.assembly : undefined;
    return `\n${family}: ${name}\n${text ?? 'none'}`;
  });
  return texts.join('\n');
}

function kernelRow(kernel: Kernel, results: Results): string[] | undefined {
  const [first, ...others] = FAMILIES.map((family) => figuresOf(kernel, family, results));
  if (!first) return undefined;
  const { vgprs, sgprs, waves, program } = first.compiled;
  const { main } = program;
  const worst = Math.max(
    ...compiledOf(kernel, 'gfx1100', results).map((one) => perPack(one.program.main)),
  );
  return [
    kernel.name.replace(/, float32$/, ''),
    String(kernel.variants.length),
    `${String(vgprs)}, ${String(sgprs)}`,
    String(waves),
    [first, ...others].map((one) => (one ? digits(one.perPack) : '')).join(' / '),
    digits(worst),
    String(main.elements),
    String(main.multiplyAdds),
    String(main.transcendental),
    `${String(main.memory)}, ${String(main.memoryBytes)} B`,
    String(main.shared),
    digits(first.bytesPerElement),
    ...[first, ...others].map((one) => (one ? boundOf(one) : '')),
  ];
}

const HEAD = [
  'kernel',
  'variants',
  'VGPR, SGPR',
  'waves',
  'vector instructions a pack: RDNA 3 / RDNA 2 / GCN 5',
  'in the worst variant',
  'elements a round',
  'multiply-adds',
  'transcendental',
  'memory',
  'workgroup memory',
  'bytes an element',
  ...FAMILIES.map((family) => `bound on ${GPUS[family].name}`),
];

function gpuTable(): string {
  return table(
    ['', 'family', 'lanes', 'GHz', 'GB/s', 'lane instructions a byte', 'figures from'],
    FAMILIES.map((family) => {
      const gpu = GPUS[family];
      return [
        `${gpu.name} (${gpu.architecture})`,
        `\`${family}\``,
        String(gpu.lanes),
        String(gpu.gigahertz),
        String(gpu.bandwidth),
        digits(instructionsPerByte(gpu)),
        gpu.source,
      ];
    }),
  );
}

function summary(kernels: readonly Kernel[], results: Results): string {
  return table(
    ['', 'pipelines', 'spill', 'spill scalars', 'use scratch memory', 'fewest waves', 'most VGPR'],
    FAMILIES.map((family) => {
      const all = kernels.flatMap((kernel) => compiledOf(kernel, family, results));
      return [
        GPUS[family].name,
        String(new Set(all).size),
        String(new Set(all.filter(({ spilled }) => spilled > 0)).size),
        String(new Set(all.filter(({ scalarsSpilled }) => scalarsSpilled > 0)).size),
        String(new Set(all.filter(({ scratch }) => scratch > 0)).size),
        String(Math.min(...all.map(({ waves }) => waves))),
        String(Math.max(...all.map(({ vgprs }) => vgprs))),
      ];
    }),
  );
}

/** What kernels of elements in packs cost in float16, beside float32: the conversions are ours. */
function float16Table(kernels: readonly Kernel[], results: Results): string {
  const rows = kernels.flatMap((kernel) => {
    if (kernel.dtype !== 'float16') return [];
    const name = kernel.name.replace(/, float16$/, '');
    const other = kernels.find((one) => one.name === `${name}, float32`);
    const own = figuresOf(kernel, 'gfx1100', results);
    const wide = other && figuresOf(other, 'gfx1100', results);
    if (!own || !wide || !/ (?:map|accumulate)$/.test(name)) return [];
    const cost = (figures: Figures): string => digits(costOf(figures.compiled.program.main));
    return [[name, digits(wide.perPack), digits(own.perPack), cost(own), boundOf(own)]];
  });
  return table(
    ['kernel', 'float32', 'float16', 'of it, with transcendental ones four times', 'bound'],
    rows,
  );
}

function callRow(figures: CallFigures): string[] {
  const { launches, vector, bytes, vgprs, waves, product } = figures;
  return [
    String(launches),
    digits(vector),
    digits(bytes),
    String(vgprs),
    String(waves),
    product ? `${String(Math.round(100 * product.share))} %` : '',
  ];
}

const CALL_HEAD = [
  'launches',
  'vector instructions an element',
  'bytes an element',
  'most VGPR',
  'fewest waves',
  'multiply-adds in the main loop of the product',
];

function callName({ op, direction, dtype, call }: Launches): string {
  return `${op} ${direction}, ${call}${dtype === 'float32' ? '' : `, ${dtype}`}`;
}

/** Calls that launch the same pipelines as the one before, without a gradient, say nothing new. */
function distinct(calls: readonly Launches[]): Launches[] {
  const seen = new Set<string>();
  return calls.filter((launches) => {
    const key = JSON.stringify([callName(launches), launches.dispatches]);
    return launches.dispatches.length > 0 && !seen.has(key) && seen.add(key);
  });
}

export function terminalCalls(calls: readonly Launches[], built: Built): string {
  if (built.results.gfx1100.length === 0) return '';
  return distinct(calls)
    .map((launches) => {
      const {
        launches: count,
        vector,
        cost,
        bytes,
        vgprs,
        waves,
        product,
      } = sumOf(launches, built);
      const share = product ? `, ${digits(100 * product.share)} % multiply-adds` : '';
      return (
        `${callName(launches)}: ${count} launches, ${digits(vector)} vector instructions an element ` +
        `(${digits(cost)}, transcendental ones four times), ${digits(bytes)} bytes, vgpr ${vgprs}, waves ${waves}${share}`
      );
    })
    .join('\n');
}

function callTable(calls: readonly Launches[], built: Built): string {
  const wide = distinct(calls.filter(({ dtype }) => dtype === 'float32'));
  return table(
    ['call', ...CALL_HEAD],
    wide.map((launches) => [callName(launches), ...callRow(sumOf(launches, built))]),
  );
}

const LIBRARY_NAMES = {
  nonlin: 'nonlin',
  tfjs: 'TensorFlow.js',
  ort: 'ONNX Runtime Web',
  jax: 'jax-js',
} as const;

function peerSection({ versions, figures }: Peers): string {
  const ops = [...new Set(figures.map(({ op, shape }) => `${op} ${shape.join(' × ')}`))];
  const cell = (op: string, library: string): string => {
    const one = figures.find(
      (f) => `${f.op} ${f.shape.join(' × ')}` === op && f.library === library,
    );
    if (!one) return 'none';
    if (one.error !== undefined || one.failures.length > 0) return 'not compiled';
    const { launches, vector, bytes, waves, product } = one;
    const shown = product
      ? `${String(Math.round(100 * product.share))} % multiply`
      : digits(vector);
    return `${shown}; ${digits(bytes)} B; ${String(launches)}; ${String(waves)}`;
  };
  const names = Object.entries(LIBRARY_NAMES);
  return [
    '## Beside other libraries',
    `Of one call on RDNA 3, over all its launches: vector instructions an element (of a product, the share of multiply-adds in the vector and workgroup-memory instructions of its main loop); bytes of the bound tensors an element; launches; fewest waves. Taken from the benchmark’s page (\`npm run isa -- --peers\`), whose adapter was presented as an RDNA 3 GPU: TensorFlow.js ${versions['@tensorflow/tfjs-backend-webgpu'] ?? ''}, ONNX Runtime Web ${versions['onnxruntime-web'] ?? ''}, jax-js ${versions['@jax-js/jax'] ?? ''}. Fewer instructions may be fewer right digits: [benchmarks.md](benchmarks.md) has times, and accuracy is another page’s matter.`,
    table(
      ['', ...names.map(([, name]) => name)],
      ops.map((op) => [op, ...names.map(([library]) => cell(op, library))]),
    ),
  ].join('\n\n');
}

export function page({ kernels, calls }: Gathered, built: Built): string {
  const { results } = built;
  const wide = kernels.filter(({ dtype }) => dtype === 'float32');
  const peers = readPeers();
  return [
    '# What GPUs make of the kernels',
    'Written by `npm run isa`. No GPU is needed: Mesa’s driver for AMD GPUs, RADV, compiles for GPUs that are not there, and tells the registers, waves and instructions of what it made. The WGSL is that of the plan for hardware, of every exported op, forward and backward, in the calls that `test/calls` knows; Dawn translates it to SPIR-V as Chromium does. These are figures of compiled code, not times: nothing has run.',
    '## The GPUs',
    gpuTable(),
    'A lane does one instruction a clock; what RDNA 3 can do besides, two at once, is not counted. *Lane instructions a byte* is how many the GPU does while its memory moves a byte: a kernel that needs more for each byte is bound by arithmetic.',
    summary(kernels, results),
    'A spilled vector register goes to memory, which no kernel may do. A spilled scalar register goes to a lane of a vector register; the budget of a kernel says how many may.',
    '## Calls of models',
    'float32 on RDNA 3, over all launches of a call. What stands in loops is counted by the elements that a round takes; a loop that touches no memory is counted once.',
    callTable(calls, built),
    ...(peers ? [peerSection(peers)] : []),
    '## The kernels, float32',
    'Figures are of the first variant, plain tensors of middle size, and of its main loop (of all of it, where there is no loop), on RDNA 3 unless said. *A pack* is four elements. *Vector instructions* each compute for all lanes of a wave; multiply-adds and transcendental instructions, which take four times as long, are among them. *Memory* is loads and stores of a round, with the bytes that a lane moves. *Bytes an element* are those of all tensors for each element of the largest. *Bound*: what takes longer, and how busy the vector units are while the memory moves a round’s bytes; 0.5 is half of the time.',
    table(
      HEAD,
      wide.flatMap((kernel) => {
        const row = kernelRow(kernel, results);
        return row ? [row] : [];
      }),
    ),
    '## float16',
    'Vector instructions a pack on RDNA 3. Tensors of float16 are unpacked and rounded by our own bit operations.',
    float16Table(kernels, results),
  ].join('\n\n');
}

export async function writePage(gathered: Gathered, built: Built): Promise<void> {
  const target = fileURLToPath(new URL('../../docs/hardware.md', import.meta.url));
  const options = { ...(await resolveConfig(target)), filepath: target };
  writeFileSync(target, await format(page(gathered, built), options));
}
