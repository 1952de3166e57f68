// The worker of the view that writes: opens the device that the page asks for, and hands on what is wished and what happened.
import { DeviceUnavailableError, init, type Device } from 'nonlin';
import { describeDevice } from '../../shell/devices.ts';
import { messageOf } from '../../training/format.ts';
import { Engine } from './engine.ts';
import type { Command, Happening } from './protocol.ts';

const tell = (happening: Happening): void => postMessage(happening);

/** Where workers have no WebGPU it is the CPU. */
async function open(backend: 'webgpu' | 'cpu'): Promise<Device> {
  try {
    return await init({ backend });
  } catch (error) {
    if (!(error instanceof DeviceUnavailableError)) throw error;
    return init({ backend: 'cpu' });
  }
}

async function start(backend: 'webgpu' | 'cpu'): Promise<Engine> {
  const device = await open(backend);
  tell({ kind: 'opened', type: device.type, name: describeDevice(device) });
  void device.lost.then(({ reason, message }) =>
    tell({ kind: 'failed', words: message === '' ? reason : message, lost: true }),
  );
  const engine = new Engine(device, tell);
  void engine.live();
  return engine;
}

let engine: Promise<Engine> | undefined;

addEventListener('message', ({ data }: MessageEvent<Command>) => {
  if (data.kind === 'open') engine = start(data.backend);
  else {
    engine
      ?.then((one) => one.take(data))
      .catch((error: unknown) => tell({ kind: 'failed', words: messageOf(error), lost: false }));
  }
});
