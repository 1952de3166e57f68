// Takes the declarations, and gives docs/activations.md, docs/norms.md and docs/losses.md, written. `npm run docs` runs it.
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { catalog } from '../src/catalog.ts';
import { docsPages } from './docs-pages.ts';

const root = new URL('../', import.meta.url);
mkdirSync(fileURLToPath(new URL('docs', root)), { recursive: true });
for (const { path, text } of await docsPages(catalog)) {
  writeFileSync(fileURLToPath(new URL(path, root)), text);
  console.log(path);
}
