// Converts a tensor to another dtype.
import { pointwise } from './plan.ts';

export { castArgs, identity } from './identity.ts';

export const castKernel = pointwise;
