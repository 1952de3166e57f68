// Takes a library's name, and gives its training; each is imported when it is first asked for, and no other with it.
import type { Learner, LearnerName, Task } from './types.ts';

const LOADERS: Record<LearnerName, () => Promise<{ learn: (task: Task) => Promise<Learner> }>> = {
  nonlin: () => import('./nonlin.ts'),
  tfjs: () => import('./tfjs.ts'),
  jax: () => import('./jax.ts'),
};

export async function learnerOf(name: LearnerName, task: Task): Promise<Learner> {
  const { learn } = await LOADERS[name]();
  return learn(task);
}
