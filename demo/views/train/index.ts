// Takes an empty element, the lab, and gives the view that trains networks.
import './train.css';
import './controls.css';
import './figures.css';
import './panels/panels.css';
import './inside/inside.css';
import { init } from 'nonlin';
import { findActivations } from '../../training/activations.ts';
import type { LossChoice } from '../../training/loss.ts';
import { findLosses } from '../../training/losses.ts';
import type { Goal } from '../../training/task.ts';
import type { Mount } from '../../shell/lab.ts';
import { reviveEarlier } from './board.ts';
import { TrainView } from './train-view.ts';

export const mount: Mount = async (host, lab) => {
  // ops are tried out on a CPU: they are tiny there, and a GPU may still be asleep
  const cpu = await init({ backend: 'cpu' });
  const activations = await findActivations(cpu);
  const losses = {} as Record<Goal, LossChoice[]>;
  for (const goal of ['classes', 'values', 'shares'] as const) {
    losses[goal] = await findLosses(cpu, goal);
  }
  cpu.dispose();
  await reviveEarlier();
  const view = new TrainView(host, lab, { activations, losses });
  view.start();
  return view;
};
