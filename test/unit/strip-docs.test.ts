import { parseSync } from 'vite';
import { expect, test } from 'vitest';
import { stripDocs } from '../../scripts/strip-docs.mjs';

const strip = (code: string): string =>
  stripDocs(code, parseSync('x.js', code).program as unknown as Parameters<typeof stripDocs>[1]);

test('docs of declarations are blanked, all else stays where it was', () => {
  const code = `const a = /* @__PURE__ */ defineActivation({
  name: 'a', docs: { tex: 'x, }', use: "docs: {" }, limit: 1,
  docs2: { a: 1 },
});
other({ docs: { kept: true } });
`;
  const result = strip(code);
  expect(result).toHaveLength(code.length);
  expect(result.replace(/ +/g, ' ')).toBe(`const a = /* @__PURE__ */ defineActivation({
 name: 'a', limit: 1,
 docs2: { a: 1 },
});
other({ docs: { kept: true } });
`);
});

test('a docs property at the end, and a variable of that name, leave valid code', () => {
  const code = `const docs = 1; defineLoss({ name: 'b', docs: { tex: '' } }); defineLoss({ docs });`;
  expect(parseSync('x.js', strip(code)).errors).toEqual([]);
  expect(strip(code)).toContain('defineLoss({ docs })');
});
