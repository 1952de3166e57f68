// Takes what was found out about a person's code, and gives it in sentences.
import type { GradientCheck } from 'nonlin';
import { formatUlp } from '../accuracy/summary.ts';
import type { Kind, OwnCode } from './protocol.ts';
import type { Sweep, Worst } from './sweep.ts';

export interface Verdict {
  readonly good: boolean;
  readonly words: string;
  readonly more: string;
}

const short = (value: number): string => String(Number(value.toPrecision(4)));
/** Kinks that are named one by one. */
const MOST_KINKS = 4;
const TOLERANCE = 1e-6;

/** Whether `backward` of the JavaScript is the slope of its `forward`. */
export function gradientVerdict(check: GradientCheck, kind: Kind): Verdict {
  const { worst, at, got, want, kinks } = check;
  const x = kind === 'loss' ? 'input or target' : 'x';
  if (Number.isNaN(at) && !check.ok && (check.gpu?.ok ?? true)) {
    return {
      good: false,
      words: 'forward has no slope anywhere',
      more: 'At every place that was tried, it jumps or is not a finite number.',
    };
  }
  if (!(worst <= TOLERANCE)) {
    return {
      good: false,
      words: `The gradient is wrong at ${x} = ${short(at)}`,
      more: `There backward gives ${short(got)}; the slope of forward is ${short(want)}.`,
    };
  }
  return { good: true, words: 'The gradient agrees', more: kinkWords(kinks) };
}

function kinkWords(kinks: readonly number[]): string {
  const agrees = 'backward is the slope of forward, within one part in a million';
  if (kinks.length === 0) return `${agrees}.`;
  const named = kinks.length <= MOST_KINKS ? `: at ${kinks.map(short).join(', ')}` : '';
  const count = kinks.length === 1 ? 'One place has' : `${kinks.length} places have`;
  return `${agrees}. ${count} no slope, and is left out${named}.`.replace(
    'places have no slope, and is',
    'places have no slope, and are',
  );
}

/** Whether the WGSL computes what the JavaScript does: `checkGradient`'s word on it. */
export function shaderVerdict({ gpu }: GradientCheck, { near }: Sweep): Verdict {
  const parts = [
    { name: 'forward', ...near.forward },
    { name: 'backward', ...near.backward },
  ];
  const worst = parts.reduce((a, b) => (badness(b) > badness(a) ? b : a));
  const ok = gpu?.ok ?? true;
  if (ok && worst.wrong === 0) {
    return {
      good: true,
      words: `The WGSL agrees: within ${formatUlp(worst.ulp)} ULP`,
      more: 'For inputs from -10 to 10. One ULP is the distance to the next float32 number.',
    };
  }
  if (worst.wrong > 0) {
    return {
      good: false,
      words: `${worst.name} of the WGSL is wrong at ${short(worst.wrongAt)}`,
      more: 'It gives NaN or an infinity where the JavaScript gives a number, or the other way round.',
    };
  }
  return {
    good: false,
    words: `${worst.name} of the WGSL is wrong at ${short(worst.at)}`,
    more: `There it gives ${short(worst.got)}; the JavaScript gives ${short(worst.want)}.`,
  };
}

const badness = ({ ulp, wrong }: Worst): number => (wrong > 0 ? Infinity : ulp);

/** The code as an app would hold it. */
export function appCode({ kind, name, wgsl, js }: OwnCode): string {
  const define = kind === 'activation' ? 'defineActivation' : 'defineLoss';
  const files = [...wgsl.matchAll(/^\/\/#include "lib\/(\w+)\.wgsl"/gm)].map(([, file]) => file);
  const library = files.length > 0 ? ', wgsl as library' : '';
  const includes = files.map((file) => `library.${file ?? ''}`).join(', ');
  const text = wgsl
    .trimEnd()
    .replaceAll('\\', '\\\\')
    .replaceAll('`', '\\`')
    .replaceAll('${', '\\${');
  const parts = [
    `name: '${name}',`,
    `wgsl: \`\n${text}\n\`,`,
    ...(files.length > 0 ? [`includes: [${includes}],`] : []),
    ...(/\bconst params\b/.test(js) ? ['params,'] : []),
    'forward,',
    'backward,',
    ...(/\bfunction largestTerm\b/.test(js) && kind === 'activation' ? ['largestTerm,'] : []),
  ];
  return `import { ${define}${library} } from 'nonlin';

${js.trimEnd()}

export const ${name} = ${define}({
${parts.map((part) => `  ${part}`).join('\n')}
});
`;
}
