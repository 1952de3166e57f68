// @ts-check
// In: kernels with `cpu: loop`. Out: the same with `cpu: typeof __NONLIN_CPU__ === 'undefined' || __NONLIN_CPU__ ? loop : undefined`.
// A bundler that is told that `__NONLIN_CPU__` is false computes the condition and drops the loops: src/cpu/optional.ts.

/** The condition, which bundlers compute only where it stands. */
const WANTED = 'typeof __NONLIN_CPU__ === "undefined" || __NONLIN_CPU__';

/** @typedef {{ type: string, start: number, end: number, [key: string]: unknown }} Node */

/**
 * @param {string} code
 * @param {Node} ast
 */
export function optionalCpu(code, ast) {
  let result = code;
  // from the last to the first, so that the places of those before stay
  for (const { start, end, shorthand } of [...loopsIn(ast)].reverse()) {
    const loop = code.slice(start, end);
    const choice = `${WANTED} ? ${loop} : void 0`;
    result = result.slice(0, start) + (shorthand ? `cpu: ${choice}` : choice) + result.slice(end);
  }
  return result;
}

/**
 * The values of properties `cpu`, in order.
 * @param {unknown} node
 * @returns {Generator<{ start: number, end: number, shorthand: boolean }>}
 */
function* loopsIn(node) {
  if (Array.isArray(node)) {
    for (const item of node) yield* loopsIn(item);
  } else if (isNode(node)) {
    const { type, key, value } = node;
    if (type === 'Property' && isNode(key) && key.name === 'cpu' && isNode(value)) {
      if (node.method) throw new Error('a loop of the CPU as a method cannot be left out');
      yield { start: value.start, end: value.end, shorthand: node.shorthand === true };
      return;
    }
    for (const child of Object.values(node)) yield* loopsIn(child);
  }
}

/**
 * @param {unknown} value
 * @returns {value is Node}
 */
function isNode(value) {
  return typeof value === 'object' && value !== null && 'type' in value;
}

/**
 * Vite plugin, for builds of the library.
 * @returns {import('vite').Plugin}
 */
export function cpuOption() {
  return {
    name: 'nonlin:optional-cpu',
    apply: 'build',
    enforce: 'post',
    transform: {
      filter: { id: /\/src\/kernels\/.*\.ts$/, code: /\bcpu\b/ },
      handler(code) {
        const ast = /** @type {Node} */ (/** @type {unknown} */ (this.parse(code)));
        return { code: optionalCpu(code, ast), map: null };
      },
    },
  };
}
