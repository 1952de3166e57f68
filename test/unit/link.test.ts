import { describe, expect, it } from 'vitest';
import { ShaderError } from '../../src/core/errors.ts';
import { link, program, shaderOf, source } from '../../src/shader/link.ts';
import { hoistArrayLengths } from '../../src/shader/lengths.ts';
import { reach } from '../../src/shader/reach.ts';
import { wholeOf } from '../../src/shader/whole.ts';
import { declaredNames, freeNames, includedNames, requiredNames } from '../wgsl-names.ts';

const count = (text: string, part: string): number => text.split(part).length - 1;

describe('linker', () => {
  const bits = source('lib/bits.wgsl', 'fn bits() {}\n');
  const exp = source('lib/exp.wgsl', '//#include "lib/bits.wgsl"\nfn exp_() { bits(); }\n', [bits]);
  const tanh = source(
    'lib/tanh.wgsl',
    '//#include "lib/exp.wgsl" for the exponential\n//#include "lib/bits.wgsl"\nfn tanh_() {}\n',
    [bits, exp],
  );

  it('puts each included file in once, before what includes it', () => {
    const text = link(source('k.wgsl', '//#include "lib/tanh.wgsl"\nfn main() {}\n', [tanh]));
    for (const name of ['fn bits()', 'fn exp_()', 'fn tanh_()', 'fn main()']) {
      expect(count(text, name), name).toBe(1);
    }
    expect(text.indexOf('fn bits()')).toBeLessThan(text.indexOf('fn exp_()'));
    expect(text.indexOf('fn exp_()')).toBeLessThan(text.indexOf('fn tanh_()'));
    expect(text.indexOf('fn tanh_()')).toBeLessThan(text.indexOf('fn main()'));
    expect(text).not.toContain('//#include');
  });

  it('puts a file in once that both kernel and slot include', () => {
    const kernel = source(
      'k.wgsl',
      '//#include "lib/bits.wgsl"\n//#slot op\nfn stub() {}\n//#end\nfn main() {}\n',
      [bits],
    );
    const op = source('op.wgsl', '//#include "lib/exp.wgsl"\nfn op() {}\n', [exp]);
    const text = link(kernel, { op });
    expect(count(text, 'fn bits()')).toBe(1);
    expect(count(text, 'fn exp_()')).toBe(1);
    expect(text).toContain('fn op()');
    expect(text).not.toContain('fn stub()');
    expect(text.indexOf('fn exp_()')).toBeLessThan(text.indexOf('fn op()'));
  });

  it('fills several slots and leaves the stub of one that is not given', () => {
    const kernel = source(
      'k.wgsl',
      'a\n//#slot one\nstub one\n//#end\nb\n  //#slot two default\n  stub two\n  //#end\nc\n',
    );
    const text = link(kernel, { one: 'given $& one' });
    expect(text).toContain('given $& one');
    expect(text).not.toContain('stub one');
    expect(text).toContain('stub two');
    expect(text.replace(/\s+/g, ' ')).toMatch(/a given \$& one b .*stub two.* c/);
  });

  it('refuses an include that the declaration does not import', () => {
    const kernel = source('k.wgsl', '//#include "lib/nowhere.wgsl"\n', [bits]);
    expect(() => link(kernel)).toThrow(ShaderError);
    expect(() => link(kernel)).toThrow(/k\.wgsl.*lib\/nowhere\.wgsl.*lib\/bits\.wgsl/);
    const nested = source('k.wgsl', '//#include "a.wgsl"\n', [
      source('a.wgsl', '//#include "b.wgsl"\n'),
    ]);
    expect(() => link(nested)).toThrow(/a\.wgsl.*b\.wgsl/);
  });

  it('refuses a slot that the kernel does not have, and one without filling or default', () => {
    const kernel = source('k.wgsl', '//#slot op\n//#end\n');
    expect(() => link(kernel, { op: '', other: '' })).toThrow(ShaderError);
    expect(() => link(kernel, { op: '', other: '' })).toThrow(/other/);
    expect(() => link(kernel)).toThrow(/op/);
  });

  it('makes a shader of a program and an entry point', () => {
    const broken = program('broken', source('k.wgsl', '//#include "x.wgsl"\n'));
    expect(() => shaderOf(broken, 'main')).toThrow(ShaderError);
    const fine = program('fine', source('k.wgsl', 'fn main() {}\nfn other() {}\n'));
    expect(shaderOf(fine, 'main').trim()).toBe('fn main() {}');
    expect(fine.id).not.toBe(broken.id);
  });
});

describe('what an entry point reaches', () => {
  const text = `const size = least();
@must_use fn least() -> u32 { return 1u; }
fn used(x: f32) -> f32 { if (x > 0.0) { return other(x); } return 0.0; }
fn other(x: f32) -> f32 { return x; }
fn unused() { used(1.0); } // fn main calls it not
/* fn ghost() { /* { */ unused(); */
@group(0) @binding(0) var<storage, read_write> z: array<f32>;
@compute @workgroup_size(64, 1) fn main() { z[0] = used(1.0); }
@compute @workgroup_size(size) fn second() { unused(); }
`;

  it('is kept, with all that is no function', () => {
    const main = reach(text, 'main');
    for (const kept of ['fn least', 'fn used', 'fn other', 'fn main', 'var<storage', 'const size'])
      expect(main).toContain(kept);
    for (const gone of ['unused', 'second', 'ghost', 'size)']) expect(main).not.toContain(gone);
    expect(main.split('{').length).toBe(main.split('}').length);
  });

  it('goes by whole names', () => {
    expect(reach('fn a() {} fn ab() {} fn main() { ab(); }', 'main')).not.toContain('fn a()');
    const text = reach('fn größe() {} fn gr() {} fn main() { größe(); }', 'main');
    expect(text).toContain('fn größe()');
    expect(text).not.toContain('fn gr()');
  });
});

describe('lengths of arrays', () => {
  const shader = (body: string): string => `
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> other: array<f32>;
@group(0) @binding(4) var<storage, read> fixed: array<f32, 4>;
fn helper(other: f32) -> f32 { return other; }
@compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3u) {${body}}`;

  it('are asked for ahead of loops, of the arrays in use and no other', () => {
    const body = ' for (var i = 0u; i < 9u; i++) { y[i] = helper(x[i].x + fixed[0]); } ';
    expect(hoistArrayLengths(shader(body), 'main')).toBe(
      shader(`if(min(arrayLength(&x),arrayLength(&y))==0u){return;}${body}`),
    );
  });

  it('are left alone where there is no loop, or no array', () => {
    for (const body of [' y[0] = x[0].x; ', ' for (var i = 0u; i < 9u; i++) { } ']) {
      expect(hoistArrayLengths(shader(body), 'main')).toBe(shader(body));
    }
  });
});

describe('the names of a WGSL file', () => {
  const file = `//#include "lib/a.wgsl"
// requires: lanes, u.n
// requires: scale_of
// What it does. requires: nothing
struct Pair { left: f32, right: f32 }
const size = 4u;
fn first(x: f32, of: Pair) -> f32 {
  var sum = select(x, scale_of(of.left), x > 1e5f); // not lost
  for (var i = 0u; i < u.n; i += lanes()) { sum += f32(i) * 0x1.8p-3f; }
  return sum;
}
@compute @workgroup_size(size) fn main(@builtin(local_invocation_index) local: u32) { first(1.0, Pair()); sum; }
`;

  it('are those it declares', () => {
    expect([...declaredNames(file)].sort()).toEqual(['Pair', 'first', 'main', 'size']);
    const uniforms = 'struct U { n: u32, op: Params }\n@group(0) @binding(0) var<uniform> u: U;';
    expect([...declaredNames(uniforms)].sort()).toEqual(['U', 'u', 'u.n', 'u.op']);
  });

  it('are those it uses and does not declare, of another function too', () => {
    expect([...freeNames(file)].sort()).toEqual(['lanes', 'scale_of', 'sum', 'u.n']);
  });

  it('are those it requires and includes', () => {
    expect(requiredNames(file)).toEqual(['lanes', 'u.n', 'scale_of']);
    expect(includedNames(file)).toEqual(['lib/a.wgsl']);
  });
});

describe('the whole text of a shader', () => {
  const bits = source('lib/bits.wgsl', 'fn bits() {}\n');
  const kernel = source('k.wgsl', 'fn before() {}\n//#slot op\n//#end\nfn main() {}\n');
  const own = source(
    'op.wgsl',
    '// mine\n//#include "lib/bits.wgsl"\n/* over\n   lines */ fn op() { bits(); }\nfn unused() {}',
    [bits],
  );
  const lineIn = (text: string, part: string): number =>
    text.split('\n').findIndex((line) => line.includes(part)) + 1;

  it.each([
    ['by itself', own],
    ['as a part of a slot', source('op', `struct P {}\n${own.text}\nfn after() {}`, [bits], own)],
  ])('knows the lines of an op’s file %s, and no others', (_, slot) => {
    const { text, lineOf } = wholeOf(program('op', kernel, { op: slot }));
    for (const [part, line] of [
      ['// mine', 1],
      ['/* over', 3],
      ['fn op()', 4],
      ['fn unused()', 5],
    ] as const) {
      expect(lineOf(lineIn(text, part)), part).toBe(line);
    }
    for (const part of ['fn before()', 'fn main()', 'fn bits()']) {
      expect(lineOf(lineIn(text, part)), part).toBeUndefined();
    }
    expect(lineOf(0)).toBeUndefined();
  });
});
