// The functions of the catalog against a table of PyTorch's signatures: what each parameter is called here, its default, or why
// it is not here.
import { expect, test } from 'vitest';
import table from '../../scripts/signatures.json';
import { catalog } from '../../src/catalog.ts';
import { OptionError, init } from '../../src/index.ts';
import { apply, argumentsOf, familyOf } from '../calls.ts';

type Row = readonly [
  string,
  string,
  Readonly<Record<string, string>>,
  Readonly<Record<string, string>>,
];
const rows = table as unknown as readonly Row[];
const device = await init({ backend: 'cpu' });

/** The options that a function has, as its refusal of another one lists them. */
function optionsOf(op: string): string[] {
  const call = familyOf(op).valid(op);
  try {
    apply(call, argumentsOf(call, device), { noOption: 1 });
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    return /one of the options ([\w, ]+)/.exec(error.message)?.[1]?.split(', ') ?? [];
  }
  throw new Error(`${op} takes any option`);
}

test.each(rows)('%s is %s', (_torch, op, ours) => {
  const info = catalog.find((one) => one.op === op);
  const known = [...Object.keys(familyOf(op).valid(op).positional), ...optionsOf(op)];
  for (const [parameter, name] of Object.entries(ours)) {
    expect(known, parameter).toContain(name);
    const [, standard] = parameter.split('=');
    if (standard !== undefined)
      expect(String(info?.params[name])).toBe(
        String(
          JSON.parse(
            /^[a-z]/.test(standard) && !['true', 'false'].includes(standard)
              ? `"${standard}"`
              : standard,
          ),
        ),
      );
  }
});
