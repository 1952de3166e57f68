// @ts-check
// In: docs/gpus/*.json, results as the page's view "How wrong is your GPU?" copies them. Out: docs/gpus.md. `npm run gpus`.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';

/** @typedef {{ ulp: number, wrong: number }} Errors */
/** @typedef {{ size: number, copy: number, ops: { op: string, gradient: boolean, share: number }[] }} Bandwidth */
/** @typedef {{ format: string, adapter: string, browser: string, date: string, samples: number, results: { op: string, builtin: Errors, nonlin: Errors }[], bandwidth?: Bandwidth }} Result */

const folder = new URL('../docs/gpus/', import.meta.url);
const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();

const INTRO = `# GPUs

How far off activations are on the GPUs that were measured, written with WGSL's built-in functions and as nonlin has them. Real GPUs are
missing: the adapters below are those that the project could run. A result of yours is welcome: open the page's view "How wrong is your
GPU?" (\`npm start\`, then \`#/gpu\`), press _Measure this GPU_, then _Copy as JSON_, and add it to this folder's \`gpus/\` as
\`adapter-browser.json\`. \`npm run gpus\` writes this page from these files.

## Format

\`\`\`json
{
  "format": "nonlin-gpu/1",
  "adapter": "vendor and architecture, as WebGPU names them",
  "browser": "name, major version and system",
  "date": "year-month-day",
  "samples": 16,
  "results": [
    { "op": "tanh", "builtin": { "ulp": 1234.5, "wrong": 0.25 }, "nonlin": { "ulp": 0.6, "wrong": 0 } }
  ],
  "bandwidth": {
    "size": 16000000,
    "copy": 812.5,
    "ops": [{ "op": "gelu", "gradient": false, "share": 0.97 }]
  }
}
\`\`\`

\`samples\` random inputs of each sign and power of two that float32 has, subnormal ones left out; each result beside the same formula in
float64. \`ulp\` is the largest error that is a number, in units of the last place of the right result, or of its largest term where terms
cancel; \`wrong\` the share of inputs whose result is NaN or infinite where it should be a number, or the other way round. The built-ins'
formulas are in \`test/accuracy/builtins.ts\`.

\`bandwidth\` is how fast memory is: \`copy\` what a kernel that copies \`size\` numbers of float32 reads and writes, in GB/s; \`share\` what an
op moves in its time, counted in the bytes that it has to move at least, of that. Results older than 2026-12 have none.
`;

/** @param {number} ulp */
const formatUlp = (ulp) =>
  ulp >= 1e4 ? ulp.toExponential(1).replace('+', '') : String(Number(ulp.toPrecision(2)));
/** @param {number} share */
const percent = (share) => (share === 0 ? 'none' : `${Number((100 * share).toPrecision(2))} %`);

/** @param {Bandwidth} bandwidth */
function bandwidthOf({ size, copy, ops }) {
  const said = ops.map(
    ({ op, gradient, share }) =>
      `\`${op}\`${gradient ? ' with gradient' : ''} ${Number((100 * share).toPrecision(2))} %`,
  );
  return `
A copy of ${size.toLocaleString('en')} numbers moves ${Number(copy.toPrecision(3))} GB/s; of that: ${said.join(', ')}.
`;
}

const sections = [];
for (const name of names) {
  /** @type {unknown} */
  const read = JSON.parse(await readFile(new URL(name, folder), 'utf8'));
  const result = /** @type {Result} */ (read);
  if (result.format !== 'nonlin-gpu/1')
    throw new Error(`${name}: format: expected nonlin-gpu/1, got ${result.format}`);
  const rows = [...result.results]
    .sort((a, b) => b.builtin.wrong - a.builtin.wrong || b.builtin.ulp - a.builtin.ulp)
    .map(
      ({ op, builtin, nonlin }) =>
        `| \`${op}\` | ${formatUlp(builtin.ulp)} | ${percent(builtin.wrong)} | ${formatUlp(nonlin.ulp)} | ${percent(nonlin.wrong)} |`,
    );
  sections.push(`## ${result.adapter}, ${result.browser}

Measured ${result.date}, ${result.samples} inputs for each sign and power of two.

| activation | built-ins: largest error, ULP | Wrongly NaN or ∞ | nonlin: largest error, ULP | Wrongly NaN or ∞ |
| --- | ---: | ---: | ---: | ---: |
${rows.join('\n')}
${result.bandwidth ? bandwidthOf(result.bandwidth) : ''}`);
}
const path = new URL('../docs/gpus.md', import.meta.url);
const options = await resolveConfig(path);
await writeFile(
  path,
  await format([INTRO, ...sections].join('\n'), { ...options, parser: 'markdown' }),
);
