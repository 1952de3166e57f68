// Everything that is checked of one op, in seconds: `npm run test:op -- gelu`, and with `--gpu` on WebGPU by both plans. The
// golden cases, the gradient against differences, and on WebGPU random calls and hostile values. See scripts/op.mjs.
import { describe, expect, it } from 'vitest';
import { catalog } from '../../src/catalog.ts';
import type { Activation } from '../../src/define/activation.ts';
import type { Loss } from '../../src/define/loss.ts';
import { checkGradient, init } from '../../src/index.ts';
import { opNames } from '../calls.ts';
import { conformanceChecks } from '../conformance.ts';
import { conformanceSuite } from '../suites.ts';

const op = String(import.meta.env.VITE_OP);
const backend = import.meta.env.VITE_BACKEND === 'webgpu' ? 'webgpu' : 'cpu';
const declared = catalog.find((one) => one.op === op);

if (!declared && !opNames.includes(op)) {
  throw new Error(`no op ${op}; there are ${opNames.join(', ')}`);
}

// They are PyTorch's: an op that PyTorch does not have has none.
const hasGolden = conformanceChecks.size > 0;
if (hasGolden) {
  describe('golden cases', () => {
    conformanceSuite(backend);
  });
}

if (backend === 'cpu' && opNames.includes(op)) {
  const { gradientSuite } = await import('../gradient-suite.ts');
  describe('the gradient against central differences', () => {
    gradientSuite([op]);
  });
}

if (declared && ('epilogue' in declared || 'formula' in declared)) {
  it('the gradient is the derivative', async () => {
    const device = await init({ backend });
    const result = await checkGradient(declared as unknown as Activation | Loss, { device });
    expect(result).toMatchObject({ ok: true });
    device.dispose();
  });
}

if (backend === 'webgpu') {
  if (hasGolden) {
    describe('golden cases by the plan for hardware', () => {
      conformanceSuite('webgpu', () => init({ backend: 'webgpu', tuning: 'hardware' }));
    });
  }
  if (opNames.includes(op)) {
    const { randomCallSuite } = await import('../gpu/random-calls.ts');
    const { hostileSuite } = await import('../gpu/hostile-suite.ts');
    randomCallSuite([op], { draws: 50, seed: 1, hostile: true });
    hostileSuite([op], { amount: 'some', software: true, optimizers: false });
  }
}
