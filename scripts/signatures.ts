// PyTorch's signatures (scripts/torch-signatures.json, by scripts/torch-signatures.py, and what newer versions added) with the name
// of each parameter here, or the reason that it is not here. A parameter without an entry has the same name in camel case, so that
// one which the next PyTorch adds fails test/unit/signatures.test.ts until it is here or a reason is.
import measured from './torch-signatures.json' with { type: 'json' };

/** A parameter of PyTorch's: its default, null for none. */
type Parameters = Readonly<Record<string, string | null>>;

export interface Signature {
  readonly torch: string;
  /** Our function or class. */
  readonly op: string;
  readonly parameters: readonly Parameter[];
}

export interface Parameter {
  readonly torch: string;
  readonly standard: string | null;
  /** Its name here, where it is here. */
  readonly ours: string | null;
  /** Why it is not here. */
  readonly reason: string | null;
}

/** What versions after that of the script have. */
const ADDED: Readonly<Record<string, Parameters>> = {
  rms_norm: { input: null, normalized_shape: null, weight: 'None', eps: 'None' },
  scaled_dot_product_attention: {
    query: null,
    key: null,
    value: null,
    attn_mask: 'None',
    dropout_p: '0.0',
    is_causal: 'False',
    scale: 'None',
    enable_gqa: 'False',
  },
  linear_cross_entropy: {
    input: null,
    linear_weight: null,
    target: null,
    linear_bias: 'None',
    weight: 'None',
    reduction: "'mean'",
    ignore_index: '-100',
    label_smoothing: '0.0',
  },
  l1_loss: { weight: 'None' },
  mse_loss: { weight: 'None' },
  huber_loss: { weight: 'None' },
  'optim.Adam': { decoupled_weight_decay: 'False' },
};

/** Names that are not PyTorch's in camel case. */
const RENAMED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  gaussian_nll_loss: { var: 'variance' },
  embedding: { input: 'indices' },
  'optim.lr_scheduler.CosineAnnealingLR': { T_max: 'tMax' },
  'optim.lr_scheduler.CosineAnnealingWarmRestarts': { T_0: 't0', T_mult: 'tMult' },
};

const DEPRECATED = 'deprecated: `reduction`';
const FASTER = 'how PyTorch runs it; here a step is always one fused launch for many parameters';

const REASONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '*': {
    size_average: DEPRECATED,
    reduce: DEPRECATED,
    _stacklevel: 'internal',
    foreach: FASTER,
    fused: FASTER,
    capturable: 'of CUDA graphs; `capture` takes any optimizer',
    differentiable: 'gradients of optimizer steps: there are no gradients of gradients',
    verbose: 'deprecated: read the rate from `optimizer.paramGroups`',
  },
  'optim.lr_scheduler.SequentialLR': { last_epoch: 'that of each of the schedulers' },
  gumbel_softmax: { eps: 'deprecated, without effect' },
  embedding: {
    max_norm: 'changes the weight in a forward pass: `normalize` it where it is meant',
    norm_type: 'of `max_norm`',
    sparse: 'there are no sparse tensors',
  },
};

const camelCase = (name: string): string =>
  name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/** What is an element of any shape is `x`, and what has a layout of its own, as in a loss, `input`. */
const INPUT = new Set(['linear', 'embedding']);

function nameOf(torch: string, parameter: string, isLoss: boolean): string {
  const renamed = RENAMED[torch]?.[parameter];
  if (renamed !== undefined) return renamed;
  if (parameter === 'input' && !isLoss && !INPUT.has(torch)) return 'x';
  return camelCase(parameter);
}

function opOf(torch: string): string {
  const name = torch.split('.').at(-1) ?? torch;
  return torch.startsWith('optim.') ? name : camelCase(name);
}

/** All of them, in PyTorch's order. */
export function signatures(): Signature[] {
  const { version: _, ...table } = measured;
  const functions: Readonly<Record<string, Parameters>> = table;
  const names = new Set([...Object.keys(functions), ...Object.keys(ADDED)]);
  return [...names].map((torch) => {
    const isLoss = /_loss$|_entropy|_div$|_logits$/.test(torch);
    const all = { ...functions[torch], ...ADDED[torch] };
    return {
      torch,
      op: opOf(torch),
      parameters: Object.entries(all).map(([parameter, standard]) => {
        const reason = REASONS[torch]?.[parameter] ?? REASONS['*']?.[parameter] ?? null;
        const ours = reason === null ? nameOf(torch, parameter, isLoss) : null;
        return { torch: parameter, standard, ours, reason };
      }),
    };
  });
}

/** The page of docs. */
export function signaturesPage(): string {
  const rows = signatures().map(({ torch, op, parameters }) => {
    const cells = parameters.map(({ torch: name, standard, ours, reason }) => {
      const theirs = `\`${name}${standard === null ? '' : `=${standard}`}\``;
      return ours === name
        ? theirs
        : `${theirs} → ${ours === null ? (reason ?? '') : `\`${ours}\``}`;
    });
    const place = torch.startsWith('optim.') ? 'torch.' : 'F.';
    return `| \`${place}${torch}\` | \`${op}\` | ${cells.join('<br>')} |`;
  });
  return `# PyTorch's signatures, and ours

Written by \`npm run docs\` from PyTorch ${measured.version}'s own signatures and what later versions added: do not edit. \`F\` is
\`torch.nn.functional\`. Tensors without a default, and numbers that a function cannot do without, are arguments in PyTorch's
order; everything else is a field of the options at the end. A parameter without an arrow has the same name here. Where a
function has a default, ours is the same.

| PyTorch | nonlin | Parameters |
| --- | --- | --- |
${rows.join('\n')}
`;
}
