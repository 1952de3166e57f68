// Installs the other libraries, and puts them and the packed package beside the examples.
import { cp, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { installPeers } from '../../scripts/peers.mjs';
import { root } from '../package/run.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The examples, with what they import. */
    examples: string;
  }
}

const PEERS = join(root, 'test/interop');

/** Packages of a node_modules folder, `@scope/name` too. */
async function packagesOf(modules: string): Promise<string[]> {
  const names = (await readdir(modules)).filter((name) => !name.startsWith('.'));
  const found = await Promise.all(
    names.map(async (name) => {
      if (!name.startsWith('@')) return [name];
      return (await readdir(join(modules, name))).map((inner) => `${name}/${inner}`);
    }),
  );
  return found.flat();
}

/** Gives a folder the packed package, and the other libraries by links. */
export async function furnish(folder: string, work: string): Promise<void> {
  const own = join(folder, 'node_modules');
  await cp(join(work, 'installed/node_modules/nonlin'), join(own, 'nonlin'), { recursive: true });
  const modules = join(PEERS, 'node_modules');
  for (const name of await packagesOf(modules)) {
    await mkdir(dirname(join(own, name)), { recursive: true });
    await symlink(join(modules, name), join(own, name), 'junction');
  }
  await writeFile(join(folder, 'package.json'), '{"private":true,"type":"module"}');
}

export default async function setup(project: TestProject): Promise<void> {
  installPeers(PEERS);
  const work = project.getProvidedContext().work;
  const examples = join(work, 'examples');
  await cp(join(root, 'examples'), examples, { recursive: true });
  await furnish(examples, work);
  project.provide('examples', examples);
}
