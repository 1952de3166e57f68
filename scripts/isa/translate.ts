// Translates WGSL to SPIR-V as Chromium does: by Dawn, on a driver that keeps the SPIR-V and compiles nothing (driver.c).
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { create, globals } from 'webgpu';
import type { Pipeline } from './record.ts';
import { interfaceOf, type Interface } from './spirv.ts';
import type { Tools } from './tools.ts';

export interface Translated extends Interface {
  /** The file that holds the SPIR-V. */
  readonly path: string;
}

/** The SPIR-V of each pipeline, or why there is none. */
export async function translate(
  pipelines: readonly Pipeline[],
  { folder, translator, swiftShader }: Tools,
): Promise<(Translated | string)[]> {
  // Vulkan's loader, and our driver, read them in this process.
  Object.assign(process.env, {
    VK_DRIVER_FILES: translator,
    VK_ICD_FILENAMES: translator,
    XDG_RUNTIME_DIR: folder,
    ISA_SWIFTSHADER: swiftShader,
  });
  Object.assign(globalThis, globals);
  const gpu = create(['backend=vulkan', 'enable-dawn-features=allow_unsafe_apis']);
  const adapter = await gpu.requestAdapter();
  if (!adapter) throw new Error('Dawn finds no adapter on SwiftShader');
  const limits: Record<string, number> = {};
  for (const name in adapter.limits) limits[name] = Number(Reflect.get(adapter.limits, name));
  const device = await adapter.requestDevice({
    requiredLimits: limits,
    requiredFeatures: (['subgroups', 'timestamp-query'] as const).filter((feature) =>
      adapter.features.has(feature),
    ),
  });
  const results: (Translated | string)[] = [];
  const spirv = mkdtempSync(join(folder, 'spirv-'));
  for (const [i, { code, entry, constants }] of pipelines.entries()) {
    const path = join(spirv, `${i}.spv`);
    process.env.ISA_SPIRV = path;
    device.pushErrorScope('validation');
    const module = device.createShaderModule({ code });
    device.createComputePipeline({
      layout: 'auto',
      compute: { module, entryPoint: entry, constants: { ...constants } },
    });
    const error = await device.popErrorScope();
    if (error) results.push(error.message);
    else if (!existsSync(path)) results.push('Dawn made no SPIR-V');
    else results.push({ path, ...interfaceOf(readFileSync(path)) });
  }
  device.destroy();
  return results;
}
