// Takes which backend the person wants, and gives a device, and words on what it is and how to get a better one.
import { DeviceUnavailableError, init, type Device } from 'nonlin';

export const BACKENDS = ['auto', 'webgpu', 'cpu'] as const;
export type Backend = (typeof BACKENDS)[number];

/** An opened device, with a note where it is not the best one could have. */
export interface Opened {
  readonly device: Device;
  /** Undefined where there is nothing to say. */
  readonly note: string | undefined;
  /** How to get WebGPU. */
  readonly help: string;
}

const HELP =
  'Chrome and Edge have WebGPU on Windows, macOS, ChromeOS and Android 12 or newer; on Linux turn on ' +
  'chrome://flags/#enable-unsafe-webgpu and chrome://flags/#enable-vulkan. Safari has it from version 26, ' +
  'Firefox from 141 on Windows and 145 on Macs; elsewhere set dom.webgpu.enabled in about:config. ' +
  'Hardware acceleration must be on in the browser’s settings.';

/** Opens a device; where WebGPU was asked for and cannot be had, the CPU, and the note says so. */
export async function openDevice(backend: Backend): Promise<Opened> {
  try {
    const device = await init({ backend });
    const note = device.type === 'cpu' && backend === 'auto' ? missing() : undefined;
    return { device, note, help: HELP };
  } catch (error) {
    if (!(error instanceof DeviceUnavailableError)) throw error;
    const device = await init({ backend: 'cpu' });
    return { device, note: `${missing()} (${error.message})`, help: HELP };
  }
}

/** What the device is, for people. */
export function describeDevice(device: Device): string {
  return device.type === 'cpu' ? 'CPU' : `${device.name} (WebGPU)`;
}

/** Why there is no GPU, and what to do. */
function missing(): string {
  // TypeScript's library says that it is always there
  if ('gpu' in navigator && (navigator.gpu as GPU | undefined)) {
    return 'This browser has WebGPU but no hardware GPU for it, so this page runs on the CPU.';
  }
  if (!isSecureContext) {
    return 'WebGPU needs a page served over https or from localhost; this page runs on the CPU.';
  }
  return 'This browser has no WebGPU, so this page runs on the CPU.';
}
