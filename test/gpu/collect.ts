// Takes when to stop, and gives garbage collected. Needs `--js-flags=--expose-gc`.
declare const gc: () => void;

/** Collects, and lets the finalizers run, until `done` or ten times. */
export async function collect(done: () => boolean): Promise<void> {
  for (let i = 0; i < 10 && !done(); i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
