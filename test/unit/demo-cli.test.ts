import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../demo/cli/cli-options.ts';
import { DEFAULTS } from '../../demo/training/settings.ts';
import { LONG } from '../parts.ts';
import { ensureDigits } from '../../scripts/mnist.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What `npm run digits` runs. */
function digits(...args: string[]): Promise<Outcome> {
  const child = spawn(process.execPath, ['scripts/run-ts.mjs', 'demo/cli/digits-cli.ts', ...args], {
    cwd: root,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

const QUICK = [
  '--backend',
  'cpu',
  '--limit',
  '200',
  '--width',
  '16',
  '--batch',
  '20',
  '--epochs',
  '2',
];

describe('npm run digits', { timeout: 60_000 }, () => {
  it('trains, tests, and says so', async () => {
    await ensureDigits();
    const { code, stdout, stderr } = await digits(...QUICK, '--activation', 'TANH');
    expect(stderr).toContain('Training on CPU');
    expect(stderr).toMatch(/Epoch 2 of 2: .*held-out accuracy/);
    expect(stdout).toMatch(/^Held-out accuracy \d\d\.\d %, held-out loss \d\.\d+ after 20 steps/);
    expect(code).toBe(0);
  });

  it('--json prints one JSON object and nothing else', async () => {
    const { code, stdout } = await digits(...QUICK, '--json', '--seed', '3');
    expect(code).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(1);
    const result: unknown = JSON.parse(stdout);
    expect(result).toMatchObject({
      device: { type: 'cpu' },
      settings: { activation: 'relu', loss: 'crossEntropy', seed: 3, width: 16, batchSize: 20 },
      steps: 20,
      epochs: [{ epoch: 1 }, { epoch: 2 }],
    });
    expect(result).toHaveProperty('accuracy', expect.any(Number));
    expect(result).toHaveProperty('loss', expect.any(Number));
    expect((result as { accuracy: number }).accuracy).toBeGreaterThan(0.4);
    expect((result as { stepsPerSecond: number }).stepsPerSecond).toBeGreaterThan(0);
  });

  it('--help lists options, activations and losses', LONG, async () => {
    const { code, stdout } = await digits('--help');
    expect(code).toBe(0);
    for (const word of ['--epochs', '--json', 'leakyRelu', 'focalLoss', 'adamw']) {
      expect(stdout).toContain(word);
    }
  });

  // What is said of others is tested below, without a process for each.
  it.each([
    [['--widht', '3'], '--widht'],
    [['--activation', 'magic'], '--activation: expected one of'],
  ])('%j is refused with exit code 2', async (args, words) => {
    const { code, stdout, stderr } = await digits(...args);
    expect(stderr).toContain(words);
    expect(stderr).not.toContain('    at ');
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });
});

describe('the command line', () => {
  it.each([
    [['--epochs', 'many'], '--epochs: expected a whole number from 1 to 1000, got "many"'],
    [['--limit', '0'], '--limit: expected a whole number from 1 to 8000'],
  ])('names what is wrong with %j', (args, words) => {
    expect(() => parseCommandLine(args)).toThrow(words);
  });

  it('has defaults', () => {
    const line = parseCommandLine([]);
    expect(line.settings).toEqual(DEFAULTS);
    expect(line).toMatchObject({ backend: 'auto', limit: 8000, json: false, help: false });
  });

  it("takes the optimizer's own learning rate unless told", () => {
    expect(parseCommandLine(['--optimizer', 'sgd']).settings.learningRate).toBe(0.2);
    expect(parseCommandLine(['--optimizer', 'sgd', '--lr', '1e-2']).settings.learningRate).toBe(
      0.01,
    );
  });

  it.each([['--lr=0'], ['--lr='], ['--width=2.5'], ['--seed=-1'], ['--backend=gpu'], ['extra']])(
    'refuses %s',
    (arg) => {
      expect(() => parseCommandLine([arg])).toThrow();
    },
  );
});
