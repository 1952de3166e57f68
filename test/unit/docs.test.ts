// The committed pages of docs/ are what the declarations give.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { docsPages } from '../../scripts/docs-pages.ts';
import { catalog } from '../../src/catalog.ts';

const pages = await docsPages(catalog);

describe('generated docs', () => {
  test('are all pages', () => {
    expect(pages.map(({ path }) => path)).toEqual([
      'docs/activations.md',
      'docs/norms.md',
      'docs/embeddings.md',
      'docs/attention.md',
      'docs/losses.md',
      'docs/signatures.md',
    ]);
  });

  test.each(pages)('$path is up to date: else run `npm run docs`', ({ path, text }) => {
    expect(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')).toBe(text);
  });

  test('have a section for every op of the catalog', () => {
    const text = pages.map((page) => page.text).join('\n');
    const missing = catalog.filter(({ op }) => !text.includes(`\n## ${op}\n`));
    expect(missing.map(({ op }) => op)).toEqual([]);
  });

  test('say the shapes of every loss', () => {
    const missing = catalog.filter(({ kind, docs }) => kind === 'loss' && !docs.shapes);
    expect(missing.map(({ op }) => op)).toEqual([]);
  });

  test.each(['range', 'derivative', 'use', 'cite'] as const)('say the %s of every op', (fact) => {
    expect(catalog.filter(({ docs }) => !docs[fact]).map(({ op }) => op)).toEqual([]);
  });
});
