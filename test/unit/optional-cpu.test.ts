import { parseSync } from 'vite';
import { expect, test } from 'vitest';
import { optionalCpu } from '../../scripts/optional-cpu.mjs';

const made = (code: string): string =>
  optionalCpu(
    code,
    parseSync('x.js', code).program as unknown as Parameters<typeof optionalCpu>[1],
  );
const WANTED = 'typeof __NONLIN_CPU__ === "undefined" || __NONLIN_CPU__';

test('the loops of kernels are chosen where they stand, all else stays', () => {
  expect(
    made(`const cpu = 1;
const kernel = { plan, cpu: ({ cpu }, [x]) => { x.cpu(cpu); }, name: 'cpu' };
const other = { cpu };
`),
  ).toBe(`const cpu = 1;
const kernel = { plan, cpu: ${WANTED} ? ({ cpu }, [x]) => { x.cpu(cpu); } : void 0, name: 'cpu' };
const other = { cpu: ${WANTED} ? cpu : void 0 };
`);
});

test('a loop that could not be left out is refused', () => {
  expect(() => made('const kernel = { cpu(args) {} };')).toThrow('as a method');
});
