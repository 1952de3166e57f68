// Takes a trained network, or a file that the person chose, and gives a download, or networks with their configuration.
import type { Device } from 'nonlin';
import { download } from '../../lab/download.ts';
import type { Progress } from '../../lab/going.ts';
import type { Config, TaskName } from '../../training/config.ts';
import { readState, saveState } from '../../training/state-file.ts';
import type { Trainer } from '../../training/trainer.ts';
import { createTrainers, type Choices } from './choices.ts';
import { openForeign, type Opened } from './foreign.ts';
import { loadTask } from './tasks.ts';

/** Offers a network's state as a download. */
export async function saveTrainer({ network, settings }: Trainer, task: TaskName): Promise<void> {
  const file = await saveState(network, { task, runs: [settings] });
  download(new Blob([file]), `nonlin-${task}-${settings.activation}.safetensors`);
}

/** An ONNX file begins with the field of its version; in safetensors an object follows a length of eight bytes. */
function isOnnx(bytes: ArrayBuffer): boolean {
  const { 0: first, 8: ninth } = new Uint8Array(bytes, 0, Math.min(9, bytes.byteLength));
  return first === 0x08 && ninth !== '{'.charCodeAt(0);
}

/**
 * The networks of a file, with the configuration that they are of. Nothing that is shown is touched: a file that cannot
 * be read, or does not fit, leaves all as it is. Undefined where it was cancelled.
 */
export async function openModel(
  file: File,
  configOf: (params: URLSearchParams | undefined) => Config,
  choices: Choices,
  device: Device,
  progress: Progress,
): Promise<Opened | undefined> {
  const bytes = await file.arrayBuffer();
  const model = isOnnx(bytes)
    ? (await import('../../training/onnx-file.ts')).readOnnxState(bytes)
    : readState(bytes);
  const config = configOf(model.params);
  if (!model.params) return openForeign(model, config, choices, device, progress);
  const { task } = await loadTask(config.task, progress);
  const trainers = await createTrainers(config.runs, choices, task, device);
  try {
    for (const { network } of trainers) model.into(network, device);
  } catch (error) {
    for (const trainer of trainers) trainer.dispose();
    throw error;
  }
  return { config, trainers };
}
