import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { minifyWgsl, stripComments } from '../../scripts/wgsl-minify.mjs';

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

  it('changes nothing the second time', async () => {
    const folder = fileURLToPath(new URL('../../shaders', import.meta.url));
    const names = (await readdir(folder, { recursive: true })).filter((n) => n.endsWith('.wgsl'));
    for (const name of names) {
      const once = minifyWgsl(await readFile(join(folder, name), 'utf8'));
      expect(minifyWgsl(once), name).toBe(once);
    }
  });
});
