// Takes the name of a task, and gives its data once loaded, and the panel that shows its networks, in one element.
import type { Progress } from '../../lab/going.ts';
import type { TaskName } from '../../training/config.ts';
import type { Task } from '../../training/task.ts';
import type { Report, Trainer } from '../../training/trainer.ts';
import type { Panel } from './panels/panel.ts';
import { loadTask } from './tasks.ts';

export class TaskPanel {
  readonly element = document.createElement('div');
  /** What is not of the first screen. */
  readonly below = document.createElement('div');
  readonly #failed: (error: unknown) => void;
  #name: TaskName | undefined;
  #task: Task | undefined;
  #panel: Panel | undefined;

  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
    this.element.className = 'panel-host';
    this.below.className = 'panel-below';
  }

  /** The task's data; undefined until it is loaded. */
  get task(): Task | undefined {
    return this.#task;
  }

  /** What is loaded, or being loaded. */
  get name(): TaskName | undefined {
    return this.#name;
  }

  /** Loads a task in place of the one before; throws where that fails or is cancelled. */
  async load(name: TaskName, progress: Progress): Promise<void> {
    this.dispose();
    this.#name = name;
    try {
      const { task, createPanel } = await loadTask(name, progress);
      // another one was asked for meanwhile
      if (this.name !== name) return;
      this.#task = task;
      this.#panel = createPanel({ failed: this.#failed });
      this.element.replaceChildren(this.#panel.element);
      this.below.replaceChildren(...(this.#panel.below ? [this.#panel.below] : []));
    } catch (error) {
      if (this.name === name) this.#name = undefined;
      throw error;
    }
  }

  use(trainers: readonly Trainer[], names: readonly string[]): void {
    this.#panel?.use(trainers, names);
  }

  report(index: number, report: Report): void {
    this.#panel?.report(index, report);
  }

  refresh(): void {
    this.#panel?.refresh();
  }

  dispose(): void {
    this.#panel?.dispose();
    this.#panel = this.#task = this.#name = undefined;
    this.element.replaceChildren();
    this.below.replaceChildren();
  }
}
