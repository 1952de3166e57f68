// @ts-check
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** @returns {string | undefined} Mesa's software driver for Vulkan, if it is installed */
export function findLavapipe() {
  for (const folder of ['/usr/share/vulkan/icd.d', '/usr/local/share/vulkan/icd.d']) {
    const names = existsSync(folder) ? readdirSync(folder) : [];
    const name = names.find((one) => one.startsWith('lvp_icd'));
    if (name !== undefined) return join(folder, name);
  }
  return undefined;
}
