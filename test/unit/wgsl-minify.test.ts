import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { shortenLocals } from '../../scripts/wgsl-locals.mjs';
import { minifyWgsl, stripComments } from '../../scripts/wgsl-minify.mjs';
import { declaredNames, freeNames } from '../wgsl-names.ts';

describe('stripComments', () => {
  it.each([
    ['a // b\nc', 'a \nc'],
    ['a /* b */ c', 'a   c'],
    ['a/**/b', 'a b'],
    ['a /* b /* c */ d */ e', 'a   e'],
    ['/* // */ a', '  a'],
    ['// /* \na', '\na'],
    ['a /* \n */ b', 'a   b'],
    ['/*/ x /*/ y */ */z', ' z'],
    ['a //# b\nc', 'a \nc'],
    ['//# use x // y\na', '//# use x // y\na'],
    ['  //# use x\na', '  //# use x\na'],
    ['// one\r\n//# two\r\na', '\r\n//# two\r\na'],
    ['a // to the end', 'a '],
  ])('%j gives %j', (source, expected) => {
    expect(stripComments(source)).toBe(expected);
  });

  it('refuses a block comment without an end', () => {
    expect(() => stripComments('a /* b /* c */')).toThrow('unterminated');
  });
});

describe('minifyWgsl', () => {
  it.each([
    ['fn f( x : f32 ) -> f32 {\n  return x ;\n}\n', 'fn f(x:f32)->f32{return x;}\n'],
    ['@compute @workgroup_size(64)\nfn main() {}', '@compute@workgroup_size(64)fn main(){}\n'],
    ['let a = b - -c;', 'let a=b- -c;\n'],
    ['let a = b & &c;', 'let a=b& &c;\n'],
    ['let a = b / *p;', 'let a=b/ *p;\n'],
    ['let a = b /* x */ / /* y */ c;', 'let a=b/c;\n'],
    ['var x : array<f32, 4> = y;', 'var x:array<f32,4> =y;\n'],
    ['return -1.0;', 'return-1.0;\n'],
    ['return .5;', 'return .5;\n'],
    ['else if (x) {}', 'else if(x){}\n'],
    ['let a = 1 // one\n + 2;', 'let a=1+2;\n'],
    ['let/* */a = 1;', 'let a=1;\n'],
    ['let Δ = 1u;\nlet é = Δ;', 'let Δ=1u;let é=Δ;\n'],
    ['', ''],
    [' // nothing\n', ''],
  ])('%j gives %j', (source, expected) => {
    expect(minifyWgsl(source)).toBe(expected);
  });

  it('keeps directives on lines of their own', () => {
    const source = '// about\n  //# use math\nfn f() {\n//# slot body\n  g();  //# not one\n}\n';
    expect(minifyWgsl(source)).toBe('//# use math\nfn f(){\n//# slot body\ng();}\n');
    const slots =
      '//#slot a\nfn a() {}\n//#end\n//#slot bee default\nfn b() {}\n//#end\nfn c() {}\n';
    expect(minifyWgsl(slots)).toBe(
      '//#slot a\n//#end\n//#slot bee default\nfn b(){}\n//#end\nfn c(){}\n',
    );
  });

  const folder = fileURLToPath(new URL('../../shaders', import.meta.url));
  const shaders = async (): Promise<[string, string][]> => {
    const names = (await readdir(folder, { recursive: true })).filter((n) => n.endsWith('.wgsl'));
    return Promise.all(
      names.map(async (name): Promise<[string, string]> => {
        return [name, await readFile(join(folder, name), 'utf8')];
      }),
    );
  };

  it('changes nothing the second time', async () => {
    for (const [name, text] of await shaders()) {
      const once = minifyWgsl(text);
      expect(minifyWgsl(once), name).toBe(once);
    }
  });

  it('leaves what a file declares and what it needs of others', async () => {
    for (const [name, text] of await shaders()) {
      const short = shortenLocals(text);
      expect(declaredNames(short), name).toEqual(declaredNames(text));
      expect(freeNames(short), name).toEqual(freeNames(text));
    }
  });
});

describe('shortenLocals', () => {
  it.each([
    [
      'parameters',
      'fn f(value: f32) -> f32 { return value; }',
      'fn f(d: f32) -> f32 { return d; }',
    ],
    [
      'variables, but no members',
      'fn f() { let row = g(); var sum = row.sum; sum += 1.0; const half = 2u; }',
      'fn f() { let d = g(); var e = d.sum; e += 1.0; const h = 2u; }',
    ],
    ['no names at module scope', 'const total = 1u; fn f() -> u32 { return total; }', null],
    ['no name that is one letter long', 'fn f(x: f32) -> f32 { let y = x; return y; }', null],
    [
      'nothing to a name that the function has',
      'fn f(d: f32, value: f32) -> f32 { return e(d, value); }',
      'fn f(d: f32, g: f32) -> f32 { return e(d, g); }',
    ],
    [
      'no attributes',
      'fn f(@builtin(workgroup_id) workgroup_id: vec3u) { g(workgroup_id.x); }',
      'fn f(@builtin(workgroup_id) d: vec3u) { g(d.x); }',
    ],
    [
      'a name of two blocks to one',
      'fn f() { { let left = 1u; g(left); } { let left = 2u; g(left); } }',
      'fn f() { { let d = 1u; g(d); } { let d = 2u; g(d); } }',
    ],
    [
      'no name that is local in one block and global in another',
      'fn f() { { let lanes = 1u; g(lanes); } g(lanes); }',
      null,
    ],
    [
      'no variable that its own start refers to',
      'fn f() { { let lanes = lanes + 1u; g(lanes); } }',
      null,
    ],
    [
      'a counter within its loop',
      'fn f() { for (var index = 0u; index < 3u; index++) { g(index); } }',
      'fn f() { for (var d = 0u; d < 3u; d++) { g(d); } }',
    ],
    [
      'no counter of which there is a global name too',
      'fn f() { for (var index = 0u; index < 3u; index++) { g(index); } g(index); }',
      null,
    ],
    ['nothing in comments', 'fn f() { // let value\n}', null],
  ])('%s', (_, wgsl, expected) => {
    expect(shortenLocals(wgsl)).toBe(expected ?? wgsl);
  });
});
