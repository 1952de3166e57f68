// Packs the package and installs the tarball into an empty folder, once for all files of the lane.
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { npm, root } from './run.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A folder for apps; `installed` in it has the package in its node_modules. */
    work: string;
    tarball: string;
    /** The files in the tarball. */
    packed: string[];
  }
}

export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  if (!existsSync(join(root, 'dist', 'nonlin.min.js'))) await npm(['run', 'build'], root);
  const work = await mkdtemp(join(tmpdir(), 'nonlin-package-'));
  const out = await npm(['pack', '--json', '--pack-destination', work], root);
  const [info] = JSON.parse(out) as { filename: string; files: { path: string }[] }[];
  if (info === undefined) throw new Error(`npm pack said: ${out}`);
  const tarball = join(work, info.filename);

  const installed = join(work, 'installed');
  await mkdir(installed);
  await writeFile(join(installed, 'package.json'), '{"private":true,"type":"module"}');
  // no dependencies, so nothing has to come over the network
  await npm(['install', '--offline', '--no-audit', '--no-fund', tarball], installed);

  provide('work', work);
  provide('tarball', tarball);
  provide('packed', info.files.map(({ path }) => path).sort());
  return () => rm(work, { recursive: true, force: true });
}
