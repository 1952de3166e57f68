// What contrastive losses hold in memory at the size of a large batch: embeddings, gradients and scratch, as planned.
import { describe, expect, it } from 'vitest';
import type { Capabilities, View } from '../../src/core/kernel.ts';
import { sizeOf } from '../../src/core/shape.ts';
import {
  type ContrastiveArgs,
  type Pairing,
  type TensorName,
} from '../../src/kernels/contrastive/args.ts';
import { logisticForm, softmaxForm } from '../../src/kernels/contrastive/forms.ts';
import { contrastiveKernel } from '../../src/kernels/contrastive/plan.ts';
import { HARDWARE, SOFTWARE } from '../../src/kernels/tuning.ts';
import { windows } from '../../src/kernels/windows/windows.ts';

const ROWS = 8192;
const FEATURES = 256;

const view = (...shape: number[]): View => ({
  shape,
  size: sizeOf(shape),
  dtype: 'float32',
  padded: true,
});

function argsOf(pairing: Pairing, normalize: boolean): ContrastiveArgs {
  const right: TensorName[] = pairing === 'labels' ? [] : ['right'];
  const others: TensorName[] =
    pairing === 'labels' ? ['labels'] : pairing === 'own' ? ['negatives'] : [];
  const embeddings: TensorName[] = [
    'left',
    ...right,
    ...others.filter((name) => name !== 'labels'),
  ];
  const args = { pairing, rows: ROWS, features: FEATURES, views: 1, normalize } as const;
  return {
    ...args,
    columns: pairing === 'views' ? 2 * ROWS : ROWS,
    scale: 10,
    bias: 0,
    factor: 1,
    reduction: 'mean',
    memoryBudget: 2 ** 22,
    inputs: ['left', ...right, ...others],
    outputs: ['loss', ...embeddings],
  };
}

describe.each([
  ['hardware', HARDWARE],
  ['software', SOFTWARE],
])('8,192 embeddings of 256 elements, on %s', (_, tuning) => {
  const caps: Capabilities = {
    maxBindingSize: 2 ** 27,
    maxWorkgroups: 65535,
    offsetAlignment: 256,
    maxInvocations: 256,
    maxWorkgroupSizeX: 256,
    maxWorkgroupStorage: 16384,
    maxStorageBuffers: 8,
    tuning,
    windows,
  };

  it.each<[Pairing, boolean]>([
    ['both', false],
    ['logistic', false],
    ['rows', true],
    ['own', true],
    ['views', true],
    ['labels', true],
  ])('%s: at most twice the embeddings and their gradients', (pairing, normalize) => {
    const args = argsOf(pairing, normalize);
    const viewOf = (name: TensorName): View =>
      name === 'loss' ? view() : name === 'labels' ? view(ROWS) : view(ROWS, FEATURES);
    const kernel = contrastiveKernel('test', pairing === 'logistic' ? logisticForm : softmaxForm);
    const { scratch, launches } = kernel.plan(
      args,
      args.inputs.map(viewOf),
      args.outputs.map(viewOf),
      caps,
    );
    const bytes = (names: readonly TensorName[]): number =>
      names.reduce((sum, name) => sum + 4 * viewOf(name).size, 0);
    const embeddings = bytes(args.outputs.filter((name) => name !== 'loss'));
    const held = bytes(args.inputs) + bytes(args.outputs) + scratch.reduce((a, b) => a + b, 0);
    expect(held).toBeLessThanOrEqual(2 * (2 * embeddings));
    // A matrix would be 256 MiB.
    expect(Math.max(...scratch)).toBeLessThan(2 ** 25);
    expect(launches.length).toBeGreaterThan(64);
  });
});
