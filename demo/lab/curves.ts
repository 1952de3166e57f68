// Takes values by step as they come, and gives curves of a length that can be drawn, and columns for a plot.

/** More points than this are not told apart on a chart, and drawing them would hold up the page. */
const MOST_POINTS = 800;

/** Adds a value; where there are too many, evenly spread ones are kept. */
export function addThinned<T>(values: Map<number, T>, step: number, value: T): void {
  values.set(step, value);
  if (values.size <= MOST_POINTS) return;
  const spacing = (2 * step) / MOST_POINTS;
  let before = -Infinity;
  for (const at of [...values.keys()]) {
    if (at - before < spacing && at !== step) values.delete(at);
    else before = at;
  }
}

/** The steps of all curves, and each curve's values there, or null. */
export function columnsOf(curves: readonly ReadonlyMap<number, number>[]): {
  x: number[];
  y: (number | null)[][];
} {
  const x = [...new Set(curves.flatMap((values) => [...values.keys()]))].sort((a, b) => a - b);
  return { x, y: curves.map((values) => x.map((step) => values.get(step) ?? null)) };
}
