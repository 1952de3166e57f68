// What plans on a device need beside its limits and tuning.
import type { AdapterCapabilities, DeviceCapabilities } from '../core/kernel.ts';
import { planPointwise } from '../kernels/pointwise/planner.ts';
import { planSums } from '../kernels/reduce/sums.ts';
import { windows } from '../kernels/windows/windows.ts';

export const withPlanners = (adapter: AdapterCapabilities): DeviceCapabilities => ({
  ...adapter,
  windows,
  pointwise: planPointwise,
  sums: planSums,
});
