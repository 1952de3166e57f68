// @ts-check
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findBrowser } from './browser.mjs';

/** @returns {string | undefined} Mesa's software driver for Vulkan, if it is installed */
export function findLavapipe() {
  for (const folder of ['/usr/share/vulkan/icd.d', '/usr/local/share/vulkan/icd.d']) {
    const names = existsSync(folder) ? readdirSync(folder) : [];
    const name = names.find((one) => one.startsWith('lvp_icd'));
    if (name !== undefined) return join(folder, name);
  }
  return undefined;
}

/** @returns {string | undefined} SwiftShader beside the browser, if it is there */
export function findSwiftShader() {
  const browser = findBrowser();
  if (browser === undefined) return undefined;
  // Debian's /usr/bin/chromium is a script; its files are in /usr/lib
  const folders = [dirname(realpathSync(browser)), '/usr/lib/chromium', '/usr/lib64/chromium'];
  return folders.map((folder) => join(folder, 'vk_swiftshader_icd.json')).find(existsSync);
}
