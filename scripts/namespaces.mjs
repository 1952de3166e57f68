// @ts-check
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** @param {string} code */
const namespacesOf = (code) =>
  [...code.matchAll(/^export \* as \w+ from '(.+)';$/gm)].map(([, source = '']) => source);

/**
 * Vite plugin, for builds of one file out per file in: `export * as nn from './nn/index.ts'` stays an import of a file.
 * The bundler alone would make an object of it, with a getter for each name, when the module runs: a consumer's bundler
 * cannot look into such an object, so that one class of it would cost all of them.
 * @returns {import('vite').Plugin}
 */
export function namespaces() {
  return {
    name: 'nonlin:namespaces',
    apply: 'build',
    enforce: 'pre',
    async resolveId(source, importer) {
      if (!importer?.endsWith('.ts') || !/^\..*\.ts$/.test(source)) return null;
      if (!namespacesOf(await readFile(importer, 'utf8')).includes(source)) return null;
      // what is external is not followed, so the file is asked for by name
      this.emitFile({
        type: 'chunk',
        id: resolve(dirname(importer), source),
        preserveSignature: 'strict',
      });
      return { id: source.replace(/\.ts$/, '.js'), external: true };
    },
  };
}
