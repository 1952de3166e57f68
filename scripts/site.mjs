// @ts-check
/**
 * `npm run docs:site`: writes the documentation site to site/: every export of every entry, by TypeDoc, with the README, docs/*.md and
 * others as its pages. Fails on any warning: a link that leads nowhere, an export without documentation, a type that a signature
 * names and the package does not export. `--check` does the same in a folder that is removed.
 */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Application, CommentTag, Converter, JSX, OptionDefaults, ReflectionKind } from 'typedoc';
import { formulaRule } from './site-formulas.mjs';
import { checkLinks } from './site-links.mjs';
import { PAGES, SITE, pageOf } from './site-pages.mjs';
import { hasOps, throwsOf } from './throws.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const ENTRIES = ['src/index.ts', 'src/nn/index.ts', 'src/optim/index.ts', 'src/kernels.ts'];
/** Members of exported classes and interfaces that have no documentation of their own: less is welcome, more is not. */
const MEMBERS_WITHOUT = 29;
/** Types that signatures name, and that nobody can use: how plans are made inside, and what asks the compiler for a type. */
const INSIDE = [
  'Call',
  'Passes',
  'Kernel',
  'Capabilities',
  'RowwiseArgs',
  'RowwiseDeclaration',
  'Tuning',
  'Program',
  'Known',
];

/** @type {unknown} */
const json = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
const { homepage, repository } = /** @type {{ homepage: string, repository: { url: string } }} */ (
  json
);
const web = repository.url.replace(/^git\+|\.git$/g, '');

/** @param {string} folder where the pages go, in the places that they have in the repository */
async function copyPages(folder) {
  const grouped = Object.entries(PAGES).flatMap(([group, paths]) =>
    paths.map((path) => ({ group, path })),
  );
  const known = new Set(['README.md', ...grouped.map(({ path }) => path)]);
  /** @param {string} path */
  const elsewhere = (path) => {
    if (!existsSync(join(root, path))) throw new Error(`there is no ${path} to link to`);
    if (known.has(path) || path.endsWith('.png')) return null;
    return `${web}/blob/main/${path}`;
  };
  for (const { group, path } of [{ group: undefined, path: 'README.md' }, ...grouped]) {
    const text = await readFile(join(root, path), 'utf8');
    await mkdir(dirname(join(folder, path)), { recursive: true });
    const options = group === undefined ? { elsewhere } : { group, elsewhere };
    await writeFile(join(folder, path), pageOf(path, text, options));
  }
  await cp(join(root, 'docs/page.png'), join(folder, 'docs/page.png'));
  return grouped.map(({ path }) => join(folder, path));
}

/**
 * @param {import('typedoc').ProjectReflection} project
 * @returns {{ exports: string[], members: string[] }} names without documentation
 */
function undocumented(project) {
  /** @param {import('typedoc').DeclarationReflection} item */
  const says = (item) => {
    const of = item.type?.type === 'reflection' ? item.type.declaration.signatures : undefined;
    const signatures = [...(item.signatures ?? []), ...(of ?? [])];
    const own = [item, item.getSignature, item.setSignature, ...signatures];
    return own.some((each) => each?.hasComment());
  };
  const all = Object.values(project.reflections)
    .filter((item) => item.isDeclaration())
    .filter((item) => item.name !== '__type' && !item.isReference());
  /** @param {import('typedoc').ReflectionKind[]} kinds */
  const under = (...kinds) =>
    all
      .filter((item) => item.parent?.kindOf(kinds) && !item.inheritedFrom && !item.overwrites)
      .filter((item) => !item.kindOf(ReflectionKind.Constructor) && !says(item))
      .map((item) => item.getFriendlyFullName());
  const { Module, Namespace, Class, Interface } = ReflectionKind;
  return { exports: under(Module, Namespace), members: under(Class, Interface) };
}

/**
 * Adds to the functions of ops what they throw.
 * @param {import('typedoc').ProjectReflection} project
 */
function addThrows(project) {
  for (const item of Object.values(project.reflections)) {
    if (!item.isDeclaration() || !item.kindOf([ReflectionKind.Function, ReflectionKind.Variable]))
      continue;
    if (!hasOps(item.sources?.[0]?.fullFileName ?? '') || !/^[a-z]/.test(item.name)) continue;
    for (const { comment } of [item, ...(item.signatures ?? [])]) {
      if (!comment || comment.getTag('@throws')) continue;
      for (const text of throwsOf(item.name))
        comment.blockTags.push(new CommentTag('@throws', [{ kind: 'text', text }]));
    }
  }
}

const check = process.argv.includes('--check');
const folder = await mkdtemp(join(tmpdir(), 'nonlin-site-'));
const out = check ? join(folder, 'out') : join(root, SITE);
try {
  const documents = await copyPages(folder);
  const app = await Application.bootstrap({
    name: 'nonlin',
    entryPoints: ENTRIES.map((path) => join(root, path)),
    // leaves out what is internal, as the package's declarations do
    tsconfig: join(root, 'tsconfig.build.json'),
    readme: join(folder, 'README.md'),
    projectDocuments: documents,
    out,
    excludeExternals: true,
    excludePrivate: true,
    excludeProtected: true,
    disableGit: true,
    basePath: root,
    displayBasePath: root,
    gitRevision: 'main',
    sourceLinkTemplate: `${web}/blob/{gitRevision}/{path}#L{line}`,
    searchInDocuments: true,
    headings: { readme: false, document: true },
    navigationLinks: { Laboratory: homepage, Repository: web },
    navigation: { includeGroups: true, includeCategories: false },
    groupOrder: [...Object.keys(PAGES), 'Modules', '*'],
    sort: ['documents-first', 'kind', 'instance-first', 'alphabetical-ignoring-documents'],
    intentionallyNotExported: INSIDE,
    validation: { notExported: true, invalidLink: true, rewrittenLink: true, notDocumented: false },
    markdownItLoader: formulaRule,
    customCss: join(root, 'scripts/site.css'),
    githubPages: true,
    hideGenerator: true,
    includeHierarchySummary: false,
    highlightLanguages: [...OptionDefaults.highlightLanguages, 'wgsl'],
  });
  app.renderer.hooks.on('head.end', (context) =>
    JSX.createElement('link', {
      rel: 'stylesheet',
      href: context.relativeURL('assets/katex/katex.min.css', true),
    }),
  );
  app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => addThrows(project));
  const project = await app.convert();
  if (!project) throw new Error('the sources do not compile');
  app.validate(project);
  await app.generateDocs(project, out);
  const katex = join(root, 'node_modules/katex/dist');
  await mkdir(join(out, 'assets/katex'), { recursive: true });
  const style = await readFile(join(katex, 'katex.min.css'), 'utf8');
  // the fonts in the one format that every browser reads
  const modern = style.replace(/,url\([^)]*\.(?:woff|ttf)\) format\([^)]*\)/g, '');
  await writeFile(join(out, 'assets/katex/katex.min.css'), modern);
  await cp(join(katex, 'fonts'), join(out, 'assets/katex/fonts'), {
    recursive: true,
    filter: (path) => !/\.(?:woff|ttf)$/.test(path),
  });

  const { exports, members } = undocumented(project);
  const { pages, links, dead } = await checkLinks(out);
  const counts = `${pages} pages, ${links} links, ${dead.length} of them dead`;
  console.log(
    `${counts}; ${exports.length} exports and ${members.length} members without documentation`,
  );
  for (const link of dead) console.error(`leads nowhere: ${link}`);
  for (const name of exports) console.error(`not documented: ${name}`);
  if (members.length > MEMBERS_WITHOUT) {
    console.error(`members without documentation, of which there may be ${MEMBERS_WITHOUT}:`);
    for (const name of members) console.error(name);
  }
  const { errorCount, warningCount } = app.logger;
  const failed = errorCount + warningCount + dead.length + exports.length;
  if (failed > 0 || members.length > MEMBERS_WITHOUT) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
