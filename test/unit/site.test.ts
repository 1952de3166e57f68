// The documentation site: its pages, its formulas, and a section for each error code.
import { readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import MarkdownIt from 'markdown-it';
import { describe, expect, it } from 'vitest';
import { formulaRule } from '../../scripts/site-formulas.mjs';
import { checkLinks } from '../../scripts/site-links.mjs';
import { PAGES, pageOf } from '../../scripts/site-pages.mjs';
import * as errors from '../../src/core/errors.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(root + path, 'utf8');
const pages = readdirSync(`${root}docs`)
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`);

describe('pages', () => {
  it('are all of docs', () => {
    const listed = Object.values(PAGES).flat();
    expect(pages.filter((path) => !listed.includes(path))).toEqual([]);
    expect(new Set(listed).size).toBe(listed.length);
  });

  it('get their first heading as title, and links out of the site lead to the repository', () => {
    const text =
      '# A title\n\n[here](b.md#x) [there](../scripts/x.ts) `[c](d)`\n\n```md\n[e](f)\n```\n';
    const elsewhere = (path: string) => (path === 'docs/b.md' ? null : `web/${path}`);
    expect(pageOf('docs/a.md', text, { group: 'Guides', elsewhere })).toBe(
      '---\ntitle: "A title"\ngroup: Guides\n---\n\n[here](b.md#x) [there](web/scripts/x.ts) `[c](d)`\n\n```md\n[e](f)\n```\n',
    );
  });
});

describe('links', () => {
  it('that lead nowhere are found, anchors too', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'nonlin-links-'));
    try {
      await writeFile(join(folder, 'a.html'), '<p id="x"><a href="b.html#y"></a><a href="#x"></a>');
      await writeFile(
        join(folder, 'b.html'),
        '<a href="a.html#z"></a><a href="c.html"></a><a href="https://x.y/"></a>',
      );
      expect(await checkLinks(folder)).toEqual({
        pages: 2,
        links: 4,
        dead: ['a.html: b.html#y', 'b.html: a.html#z', 'b.html: c.html'],
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('formulas', () => {
  const markdown = new MarkdownIt().use(formulaRule);

  it('are rendered, in tables too', () => {
    const html = markdown.render('| a |\n| --- |\n| $\\max(x, 0) \\, \\vert{}x\\vert{}$ |\n');
    expect(html).toContain('class="katex"');
    expect(html).not.toContain('$');
  });

  it('are told from dollars', () => {
    expect(markdown.render('from $5 to $6, `$x$`, $ a $')).toBe(
      '<p>from $5 to $6, <code>$x$</code>, $ a $</p>\n',
    );
  });

  it.each(pages)('of %s are known to KaTeX', (path) => {
    expect(() => markdown.render(read(path))).not.toThrow();
  });
});

describe('troubleshooting', () => {
  const text = read('docs/troubleshooting.md');
  const made = Object.values(errors).map((Class) => new Class({ op: 'x' }));

  it('knows more than the base class', () => {
    expect(made.length).toBeGreaterThan(10);
  });

  it.each(made.map(({ code, name }) => [code, name] as const))(
    'has a section for %s',
    (code, name) => {
      const [, section = ''] = text.split(`\n## ${code}\n`);
      const [own = ''] = section.split('\n## ');
      expect(own).toContain(`\`${name}\``);
      if (code === 'nonlin') return;
      expect(own).toContain('- **Cause**: ');
      expect(own).toContain('- **Cure**: ');
    },
  );

  it('has no section for a code that is not there', () => {
    const codes = [...text.matchAll(/^## ([a-z-]+)$/gm)].map(([, code]) => code);
    expect(codes.sort()).toEqual(made.map(({ code }) => code).sort());
  });
});

describe('tables', () => {
  /** A bar that is escaped or in code ends no cell on GitHub if it is escaped only. */
  const cellsOf = (row: string): number => row.trim().replace(/\\\|/g, '').split('|').length - 2;

  it('are counted right', () => {
    expect(['| a | b |', '| a \\| b |', '| a | | c |'].map(cellsOf)).toEqual([2, 1, 3]);
  });

  it.each([...pages, 'README.md', 'ARCHITECTURE.md', 'examples/README.md'])(
    'of %s have as many cells in each row as in the head',
    (path) => {
      const wrong: string[] = [];
      let head = 0;
      let fenced = false;
      for (const [i, row] of read(path).split('\n').entries()) {
        if (row.startsWith('```')) fenced = !fenced;
        if (fenced || !row.startsWith('|')) head = 0;
        else if (head === 0) head = cellsOf(row);
        else if (cellsOf(row) !== head) wrong.push(`${path}:${i + 1}: ${cellsOf(row)} of ${head}`);
      }
      expect(wrong).toEqual([]);
    },
  );

  it.each(['activations', 'norms', 'losses', 'attention', 'embeddings'])(
    'docs/%s.md has the names of PyTorch in their column',
    (name) => {
      const rows = read(`docs/${name}.md`)
        .split('\n')
        .filter((row) => row.startsWith('| '));
      const [head = [], , ...ops] = rows.map((row) => row.split(' | ').map((cell) => cell.trim()));
      const column = head.indexOf('PyTorch');
      expect(head[column - 1]).toBe('At kinks');
      expect(ops.length).toBeGreaterThan(0);
      for (const cells of ops) expect(cells[column]).toMatch(/^(?:none|`torch\.nn\.[\w.]+`)$/);
    },
  );
});
