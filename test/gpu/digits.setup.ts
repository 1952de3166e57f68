// The digits file, made before a browser fetches it.
import { ensureDigits } from '../../scripts/mnist.mjs';

export async function setup(): Promise<void> {
  await ensureDigits();
}
