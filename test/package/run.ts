// Runs programs as an app's developer would.
import { execFile } from 'node:child_process';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** The repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url));
/** A program of this repository: nothing is downloaded. */
export const tool = (path: string) => join(root, 'node_modules', path);

interface Failure {
  stdout?: string;
  stderr?: string;
}

/** Runs a program; its output is part of the error if it fails. */
async function run(
  file: string,
  args: readonly string[],
  cwd: string,
  more: NodeJS.ProcessEnv = {},
): Promise<string> {
  // the test runner's own variables (NODE_ENV=test, VITEST) are none of the app's business
  const { NODE_ENV: _env, VITEST: _vitest, ...env } = process.env;
  try {
    const { stdout } = await execute(file, args, {
      cwd,
      env: { ...env, ...more },
      maxBuffer: 2 ** 26,
    });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as Failure;
    throw new Error(`${basename(file)} ${args.join(' ')} failed\n${stdout}\n${stderr}`, {
      cause: error,
    });
  }
}

/** A program that is no script of Node's. */
export const program = (file: string, args: readonly string[], cwd: string) => run(file, args, cwd);

export const node = (
  script: string,
  args: readonly string[],
  cwd: string,
  env?: NodeJS.ProcessEnv,
) => run(process.execPath, [script, ...args], cwd, env);

export const npm = (args: readonly string[], cwd: string) =>
  run(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, cwd);
