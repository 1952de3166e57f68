// @ts-check
// Whether every link of a folder of HTML pages that stays in the folder leads somewhere, anchors included.
import { readFile, readdir } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';

/**
 * @param {string} folder
 * @returns {Promise<{ pages: number, links: number, dead: string[] }>}
 */
export async function checkLinks(folder) {
  const names = await readdir(folder, { recursive: true });
  const files = new Set(names.map((name) => join(folder, name)));
  /** @type {Map<string, { ids: Set<string>, links: string[] }>} */
  const pages = new Map();
  for (const name of names.filter((each) => each.endsWith('.html'))) {
    const text = await readFile(join(folder, name), 'utf8');
    const ids = new Set([...text.matchAll(/\s(?:id|name)="([^"]*)"/g)].map(([, id = '']) => id));
    const links = [...text.matchAll(/\s(?:href|src)="([^"]*)"/g)].map(([, link = '']) => link);
    pages.set(join(folder, name), { ids, links });
  }
  /** @type {string[]} */
  const dead = [];
  let count = 0;
  for (const [path, { links }] of pages) {
    for (const link of links) {
      if (/^(?:[a-z]+:|\/\/)/.test(link)) continue;
      count++;
      const [file = '', anchor = ''] = link.replaceAll('&amp;', '&').split('#');
      const to =
        file === '' ? path : resolve(dirname(path), decodeURIComponent(file.replace(/\?.*/, '')));
      const page = pages.get(to);
      const there =
        files.has(to) && (anchor === '' || !page || page.ids.has(decodeURIComponent(anchor)));
      if (!there && to !== resolve(folder)) dead.push(`${relative(folder, path)}: ${link}`);
    }
  }
  return { pages: pages.size, links: count, dead: [...new Set(dead)] };
}
