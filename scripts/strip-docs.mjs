// @ts-check
// In: a module with `define…({ …, docs: { … } })`. Out: the same without the docs. They are for tables, the demo and
// tests, which run from source; in an app they would be a third of an op's weight.

/** Properties that only tables, the demo and the tests read. */
const STRIPPED = ['docs', 'accuracy', 'largestTerm'];

/** @typedef {{ type: string, start: number, end: number, [key: string]: unknown }} Node */

/**
 * Blanks out documentation and bounds, leaving every other character where it was, so that source maps stay right.
 * @param {string} code
 * @param {Node} ast
 */
export function stripDocs(code, ast) {
  let result = code;
  for (const { start, end } of docsIn(ast)) {
    const comma = code[end] === ',' ? 1 : 0;
    result =
      result.slice(0, start) +
      code.slice(start, end + comma).replace(/[^\n]/g, ' ') +
      result.slice(end + comma);
  }
  return result;
}

/**
 * The properties to strip of objects passed to calls of `define…` and `declare…`.
 * @param {unknown} node
 * @returns {Generator<Node>}
 */
function* docsIn(node) {
  if (Array.isArray(node)) {
    for (const item of node) yield* docsIn(item);
  } else if (isNode(node)) {
    if (node.type === 'CallExpression' && /^(define|declare)/.test(nameOf(node.callee))) {
      for (const argument of /** @type {Node[]} */ (node.arguments)) {
        if (argument.type !== 'ObjectExpression') continue;
        for (const property of /** @type {Node[]} */ (argument.properties)) {
          const written = isNode(property.value) && property.value.type === 'ObjectExpression';
          if (written && STRIPPED.includes(nameOf(property.key))) yield property;
        }
      }
    }
    for (const child of Object.values(node)) yield* docsIn(child);
  }
}

/**
 * @param {unknown} value
 * @returns {value is Node}
 */
function isNode(value) {
  return typeof value === 'object' && value !== null && 'type' in value;
}

/** @param {unknown} node */
function nameOf(node) {
  return isNode(node) && typeof node.name === 'string' ? node.name : '';
}

/**
 * Vite plugin, for builds of the library.
 * @returns {import('vite').Plugin}
 */
export function docsStripper() {
  return {
    name: 'nonlin:strip-docs',
    apply: 'build',
    enforce: 'post',
    transform: {
      filter: { id: /\/src\/.*\.ts$/, code: /docs|accuracy|largestTerm/ },
      handler(code) {
        const ast = /** @type {Node} */ (/** @type {unknown} */ (this.parse(code)));
        return { code: stripDocs(code, ast), map: null };
      },
    },
  };
}
