// Finds, and where it may installs, what is needed to compile for a GPU that is not there: a C compiler, Vulkan's headers,
// Mesa's driver for AMD GPUs, and SwiftShader as Chromium ships it.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { aptInstall } from '../apt.mjs';
import { findBrowser } from '../browser.mjs';

export interface Tools {
  /** A folder for whatever is made on the way. */
  readonly folder: string;
  /** The program made of compile.c. */
  readonly compiler: string;
  /** Mesa's driver for AMD GPUs. */
  readonly radv: string;
  /** The driver made of driver.c, and the library that it stands before. */
  readonly translator: string;
  readonly swiftShader: string;
}

const here = dirname(fileURLToPath(import.meta.url));
const PACKAGES = ['gcc', 'libc6-dev', 'libvulkan-dev', 'mesa-vulkan-drivers', 'chromium'];

function findRadv(): string | undefined {
  for (const folder of ['/usr/share/vulkan/icd.d', '/usr/local/share/vulkan/icd.d']) {
    const names = existsSync(folder) ? readdirSync(folder) : [];
    const name = names.find((one) => one.startsWith('radeon_icd'));
    if (name !== undefined) return join(folder, name);
  }
  return undefined;
}

function findSwiftShader(): string | undefined {
  const browser = findBrowser();
  const beside = browser === undefined ? [] : [dirname(realpathSync(browser))];
  // Debian's /usr/bin/chromium is a script; its files are in /usr/lib
  return [...beside, '/usr/lib/chromium', '/usr/lib64/chromium']
    .map((folder) => join(folder, 'libvk_swiftshader.so'))
    .find((path) => existsSync(path));
}

const hasCompiler = (): boolean =>
  spawnSync('gcc', ['--version'], { stdio: 'ignore' }).status === 0;

/** What is missing, in words. */
function missing(): string[] {
  return [
    ...(hasCompiler() ? [] : ['gcc']),
    ...(existsSync('/usr/include/vulkan/vulkan.h') ? [] : ["Vulkan's headers"]),
    ...(findRadv() === undefined ? ["Mesa's driver for AMD GPUs"] : []),
    ...(findSwiftShader() === undefined ? ['SwiftShader beside Chromium'] : []),
  ];
}

/** The tools, or why they cannot be had here. */
export function prepareTools(): Tools | string {
  if (process.platform !== 'linux') return "Mesa's driver for AMD GPUs is there on Linux only";
  if (missing().length > 0) aptInstall(PACKAGES);
  const radv = findRadv();
  const swiftShader = findSwiftShader();
  const lacking = missing();
  if (lacking.length > 0 || radv === undefined || swiftShader === undefined) {
    return `${lacking.join(' and ')} could not be found or installed`;
  }
  const folder = mkdtempSync(join(tmpdir(), 'nonlin-isa-'));
  const compiler = join(folder, 'compile');
  const library = join(folder, 'driver.so');
  const translator = join(folder, 'driver.json');
  execFileSync('gcc', ['-O1', '-o', compiler, join(here, 'compile.c'), '-lvulkan']);
  execFileSync('gcc', ['-O1', '-shared', '-fPIC', '-o', library, join(here, 'driver.c'), '-ldl']);
  const manifest = { library_path: library, api_version: '1.3.0' };
  writeFileSync(translator, JSON.stringify({ file_format_version: '1.0.0', ICD: manifest }));
  return { folder, compiler, radv, translator, swiftShader };
}
