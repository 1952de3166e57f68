// @ts-check
// The pages of the documentation site beside those of the exports, in their order.

/** The folder that `npm run docs:site` writes. */
export const SITE = 'site';

/** @type {Readonly<Record<string, readonly string[]>>} */
export const PAGES = {
  Guides: [
    'docs/getting-started.md',
    'docs/pytorch.md',
    'docs/installing.md',
    'docs/devices.md',
    'docs/precision.md',
    'docs/writing-an-op.md',
    'docs/engines.md',
    'docs/recipes.md',
    'docs/kernels.md',
    'docs/troubleshooting.md',
    'examples/README.md',
  ],
  Ops: [
    'docs/activations.md',
    'docs/losses.md',
    'docs/norms.md',
    'docs/attention.md',
    'docs/embeddings.md',
    'docs/tensor-ops.md',
    'docs/signatures.md',
  ],
  Measured: ['docs/accuracy.md', 'docs/benchmarks.md', 'docs/hardware.md', 'docs/gpus.md'],
  Project: ['CONTRIBUTING.md', 'ARCHITECTURE.md', 'CHANGELOG.md'],
};

const LINK = /(?<=\]\()(?![a-z]+:|#|\/)[^)\s]+/g;

/**
 * A page as TypeDoc takes it: its first heading becomes its title, and links to what is no page lead to the repository.
 * @param {string} path
 * @param {string} text
 * @param {{ group?: string, elsewhere: (path: string) => string | null }} options what stands for a path of the repository; null
 *   where it is a page
 */
export function pageOf(path, text, { group, elsewhere }) {
  const [, title = path] = /^# (.+)$/m.exec(text) ?? [];
  // a fence may hold what looks like a link
  const parts = text.split(/(^```[^]*?^```$|`[^`\n]*`)/m);
  const linked = parts.map((part, i) =>
    i % 2 === 1
      ? part
      : part.replace(LINK, (link) => {
          const [file = '', anchor] = link.split('#');
          const to = elsewhere(new URL(file, `file:///${path}`).pathname.slice(1));
          return to === null ? link : `${to}${anchor === undefined ? '' : `#${anchor}`}`;
        }),
  );
  if (group === undefined) return linked.join('');
  const body = linked.join('').replace(/^# .+\n+/, '');
  return `---\ntitle: ${JSON.stringify(title)}\ngroup: ${group}\n---\n\n${body}`;
}
