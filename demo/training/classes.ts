// Takes an op's name, and gives its module class.
import { nn } from 'nonlin';

export type ModuleClass = new (options?: object) => nn.Module;

/** `nn.LeakyReLU` for `leakyRelu`. */
export function classOf(op: string): ModuleClass | undefined {
  return Object.entries(nn).find(([name]) => name.toLowerCase() === op.toLowerCase())?.[1] as
    ModuleClass | undefined;
}
