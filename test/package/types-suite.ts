/**
 * The declarations as a compiler sees them: by three ways to find a module, with and without the types of WebGPU and of the page.
 */
import { readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, inject, it } from 'vitest';
import { makeApp } from './app.ts';
import { node, root, tool } from './run.ts';
import { config, MAIN, WEBGPU } from './type-apps.ts';

/** Every value of the package exported again, and what is made of it: the app's declarations have to name its type. */
async function exportsAgain(): Promise<string> {
  const entry = join(inject('work'), 'installed/node_modules/nonlin/dist/index.js');
  const nonlin = (await import(pathToFileURL(entry).href)) as Record<string, object>;
  const lines = ["import * as nonlin from 'nonlin';"];
  const again = (from: string, space: object, prefix: string) => {
    for (const [name, value] of Object.entries(space) as [string, unknown][]) {
      lines.push(`export const ${prefix}${name} = ${from}.${name};`);
      if (typeof value === 'object' && value !== null) {
        if (Object.prototype.toString.call(value) === '[object Module]') {
          again(`${from}.${name}`, value, `${prefix}${name}_`);
        }
      }
      // a protected constructor has no arguments for others
      if (typeof value !== 'function' || name === 'LRScheduler') continue;
      lines.push(
        `export const argumentsOf_${prefix}${name} = (...args: ${
          /^[A-Z]/.test(name) ? 'ConstructorParameters' : 'Parameters'
        }<typeof ${from}.${name}>) => args;`,
      );
    }
  };
  again('nonlin', nonlin, '');
  return lines.join('\n');
}

/** `compiler`: the folder of its package. */
export function typesSuite(version: string, compiler: string): void {
  describe(`TypeScript ${version}`, () => {
    const tsc = (app: string) => node(tool(`${compiler}/lib/tsc.js`), ['-p', app], app);

    it('bundler: also writes declarations of an app that exports whatever the package exports', async () => {
      const app = await makeApp(`types-${version}-bundler`, {
        'src/main.ts': MAIN,
        'src/again.ts': await exportsAgain(),
        'tsconfig.json': config({
          noEmit: false,
          declaration: true,
          rootDir: 'src',
          outDir: 'out',
        }),
      });
      await tsc(app);
      const emitted = await readFile(join(app, 'out/again.d.ts'), 'utf8');
      expect(emitted).toContain('export declare const relu:');
      // a package that is found by its exports has no such module
      expect(emitted).not.toContain('nonlin/dist');
    });

    it('node16', async () => {
      const app = await makeApp(`types-${version}-node16`, {
        'src/main.ts': MAIN,
        'tsconfig.json': config({ module: 'Node16', moduleResolution: 'node16' }),
      });
      await tsc(app);
    });

    it('node10, without the types of a page', async () => {
      const app = await makeApp(`types-${version}-node10`, {
        'src/main.ts': MAIN,
        'tsconfig.json': config({
          lib: ['ES2022'],
          moduleResolution: 'node10',
          ...(version === '6.0' ? { ignoreDeprecations: '6.0' } : {}),
        }),
      });
      await tsc(app);
    });

    it('knows GPUDevice, from @webgpu/types before TypeScript 6', async () => {
      const app = await makeApp(`types-${version}-webgpu`, {
        'src/main.ts': WEBGPU,
        'tsconfig.json': config({ types: version === '6.0' ? [] : ['@webgpu/types'] }),
      });
      await symlink(
        join(root, 'node_modules/@webgpu'),
        join(app, 'node_modules/@webgpu'),
        'junction',
      );
      await tsc(app);
    });
  });
}
