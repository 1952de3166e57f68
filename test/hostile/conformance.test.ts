// Golden cases of which `npm test` takes a part: all by the adapter's own plan, all by the plan for hardware where it is
// another, and many at the limits of compatibility mode.
import { describe } from 'vitest';
import { init } from '../../src/index.ts';
import { ADAPTIVE } from '../conformance.ts';
import { asHardware } from '../gpu/gpu-device.ts';
import { requestLowDevice } from '../gpu/low-device.ts';
import { openGpu } from '../open.ts';
import { conformanceSuite } from '../suites.ts';

describe('on this adapter', () => {
  conformanceSuite('webgpu', () => openGpu());
});

describe('as on a hardware adapter', () => {
  conformanceSuite('webgpu', () => openGpu({ tuning: 'hardware' }), ADAPTIVE);
});

// An odd step meets both dtypes.
describe('at low limits, as on a hardware adapter', () => {
  conformanceSuite(
    'webgpu',
    async () => init({ device: asHardware(await requestLowDevice()) }),
    undefined,
    15,
  );
});

describe('at low limits, on this adapter', () => {
  conformanceSuite('webgpu', async () => init({ device: await requestLowDevice() }), undefined, 31);
});
