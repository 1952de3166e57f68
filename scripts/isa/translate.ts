// Translates WGSL to SPIR-V as Chromium does: by Dawn, on a driver that keeps the SPIR-V and compiles nothing (driver.c).
import { readdirSync, readFileSync } from 'node:fs';
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
  const spirv = join(folder, 'spirv');
  // Vulkan's loader, and our driver, read them in this process.
  Object.assign(process.env, {
    VK_DRIVER_FILES: translator,
    VK_ICD_FILENAMES: translator,
    XDG_RUNTIME_DIR: folder,
    ISA_SWIFTSHADER: swiftShader,
    ISA_SPIRV: spirv,
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
  let files = readdirSync(spirv).length;
  for (const { code, entry, constants } of pipelines) {
    device.pushErrorScope('validation');
    const module = device.createShaderModule({ code });
    device.createComputePipeline({
      layout: 'auto',
      compute: { module, entryPoint: entry, constants: { ...constants } },
    });
    const error = await device.popErrorScope();
    const now = readdirSync(spirv).length;
    if (error) results.push(error.message);
    else if (now !== files + 1) results.push(`Dawn made ${now - files} shader modules`);
    else {
      const path = join(spirv, `${files}.spv`);
      results.push({ path, ...interfaceOf(readFileSync(path)) });
    }
    files = now;
  }
  device.destroy();
  return results;
}
