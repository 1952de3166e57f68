// Takes the catalog of declared ops, and gives the text of the pages in docs that list them.
import { format, resolveConfig } from 'prettier';
import type { Documented } from '../src/define/op.ts';
import { signaturesPage } from './signatures.ts';

export interface Page {
  /** Path in the repository. */
  readonly path: string;
  readonly text: string;
}

/** The pages, formatted as the repository's files are. */
export async function docsPages(catalog: readonly Documented[]): Promise<Page[]> {
  const named = [...catalog].sort((a, b) => (a.op < b.op ? -1 : 1));
  const pages = [
    { path: 'docs/activations.md', text: page('Activations', named, isActivation) },
    { path: 'docs/norms.md', text: page('Norms', named, ({ kind }) => kind === 'norm') },
    {
      path: 'docs/embeddings.md',
      text: page('Embeddings', named, ({ kind }) => kind === 'embedding'),
    },
    {
      path: 'docs/attention.md',
      text: page('Attention', named, ({ kind }) => kind === 'attention'),
    },
    { path: 'docs/losses.md', text: page('Losses', named, ({ kind }) => kind === 'loss') },
    { path: 'docs/signatures.md', text: signaturesPage() },
  ];
  return Promise.all(
    pages.map(async ({ path, text }) => {
      const options = { ...(await resolveConfig(path)), filepath: path };
      return { path, text: await format(text, options) };
    }),
  );
}

const isActivation = ({ kind }: Documented): boolean =>
  !['loss', 'norm', 'embedding', 'attention'].includes(kind);

function page(
  title: string,
  catalog: readonly Documented[],
  belongs: (op: Documented) => boolean,
): string {
  const ops = catalog.filter(belongs);
  return `# ${title}

Written by \`npm run docs\` from the declarations in \`src\`: do not edit. Accuracy is the largest error in ULP of float32,
forward and backward. [accuracy.md](accuracy.md) says how it is measured, and what the measurements gave. "At kinks" says which
gradient an op has where its derivative does not exist; it is PyTorch's where PyTorch has the op.

${table(
  ['Op', 'Formula', 'Derivative', 'Range', 'Options', 'At kinks', 'PyTorch', 'Accuracy'],
  ops.map((op) => [
    `[\`${op.op}\`](#${op.op.toLowerCase()})`,
    tex(op.docs.tex),
    op.docs.derivative ? tex(op.docs.derivative) : '—',
    op.docs.range ? tex(op.docs.range) : '—',
    [
      ...(op.weights ?? []).map((name) => `\`${name}\``),
      ...Object.entries(op.params).map(([name, value]) => `\`${name}\` ${value}`),
    ].join(', ') || '—',
    op.docs.kinks ?? '—',
    torchName(op),
    accuracyOf(op, '', ' /'),
  ]),
)}

${ops.map(section).join('\n')}`;
}

function section(op: Documented): string {
  const { docs } = op;
  const facts: [string, string | undefined][] = [
    ['Formula', tex(docs.tex)],
    [op.kind === 'loss' ? 'Gradient' : 'Derivative', docs.derivative && tex(docs.derivative)],
    ['Range', docs.range && tex(docs.range)],
    ['Shapes', docs.shapes],
    ['Options', optionsOf(op)],
    ['At kinks', docs.kinks],
    ['PyTorch', torchName(op)],
    ['Accuracy', accuracyOf(op, ' ULP forward', ',', ' ULP backward')],
    ['Source', docs.cite],
  ];
  const lines = facts.flatMap(([name, value]) => (value ? [`- **${name}**: ${value}`] : []));
  return [`## ${op.op}`, '', ...(docs.use ? [docs.use, ''] : []), ...lines, ''].join('\n');
}

/** Each option with its default and what it may be; undefined without any. */
function optionsOf(op: Documented): string | undefined {
  const options = Object.entries(op.params).map(([name, value]) => {
    const range = rangeOf(op.specs?.[name]);
    return `\`${name}\` (${[defaultOf(op.specs?.[name], value), ...range].join(', ')})`;
  });
  const shape =
    op.weightsOf ??
    { norm: 'of the normalised shape', attention: 'see the shapes' }[op.kind as string] ??
    'broadcast';
  const weights = (op.weights ?? []).map((name) => `\`${name}\` (a tensor, ${shape})`);
  const [first, ...others] = op.reductions ?? [];
  const reduction =
    first === undefined
      ? []
      : [
          `\`reduction\` (${[`default \`${first}\``, ...others.map((r) => `\`${r}\``)].join(', ')})`,
        ];
  return [...weights, ...options, ...reduction].join(', ') || undefined;
}

/** What a declared option may say of itself; which of it there is depends on the option. */
interface Spec {
  readonly min?: number;
  readonly max?: number;
  readonly above?: boolean;
  readonly below?: boolean;
  readonly integer?: boolean;
  readonly nonzero?: boolean;
  readonly required?: boolean;
  readonly choices?: readonly string[];
}

function specOf(spec: unknown): Spec {
  return typeof spec === 'object' && spec !== null ? spec : {};
}

const defaultOf = (spec: unknown, value: unknown): string =>
  specOf(spec).required ? 'required' : `default ${String(value)}`;

function rangeOf(given: unknown): string[] {
  const { min, max, above, below, integer, nonzero, choices } = specOf(given);
  return [
    ...(choices ? [`one of ${choices.map((choice) => `\`${choice}\``).join(', ')}`] : []),
    ...(integer ? ['an integer'] : []),
    ...(min === undefined ? [] : [`${above ? 'above' : 'at least'} ${min}`]),
    ...(max === undefined ? [] : [`${below ? 'below' : 'at most'} ${max}`]),
    ...(nonzero ? ['not 0'] : []),
  ];
}

/** Of row-wise ops with the length n of a row, as sums lose more the longer they are. */
function accuracyOf(op: Documented, forward: string, between: string, backward = ''): string {
  if (op.kind === 'rowwise') return `6 + 2 log2 n${forward === '' ? '' : ' ULP for rows of n'}`;
  return `${op.accuracy.forward}${forward}${between} ${op.accuracy.backward}${backward}`;
}

/** Functions; what PyTorch has as a module only is written with a capital. */
const torchName = ({ docs }: Documented): string => {
  if (docs.torch === undefined) return 'none';
  const place = /^[A-Z]/.test(docs.torch) ? 'torch.nn' : 'torch.nn.functional';
  return `\`${place}.${docs.torch}\``;
};

/** A bar would end a table's cell. */
const tex = (text: string): string => `$${text.replaceAll('|', String.raw`\vert{}`)}$`;

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
