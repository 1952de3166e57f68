// @ts-check
// In: a module with `define…({ …, docs: { … } })`. Out: the same without the docs. They are for tables, the demo and
// tests, which run from source; in an app they would be a third of an op's weight.

/** @typedef {{ type: string, start: number, end: number, [key: string]: unknown }} Node */

/**
 * Blanks out `docs` properties, leaving every other character where it was, so that source maps stay right.
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
 * The `docs` properties of objects passed to calls of `define…`.
 * @param {unknown} node
 * @returns {Generator<Node>}
 */
function* docsIn(node) {
  if (Array.isArray(node)) {
    for (const item of node) yield* docsIn(item);
  } else if (isNode(node)) {
    if (node.type === 'CallExpression' && nameOf(node.callee).startsWith('define')) {
      for (const argument of /** @type {Node[]} */ (node.arguments)) {
        if (argument.type !== 'ObjectExpression') continue;
        for (const property of /** @type {Node[]} */ (argument.properties)) {
          const value = property.value;
          if (
            nameOf(property.key) === 'docs' &&
            isNode(value) &&
            value.type === 'ObjectExpression'
          ) {
            yield property;
          }
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
      filter: { id: /\/src\/.*\.ts$/, code: 'docs' },
      handler(code) {
        const ast = /** @type {Node} */ (/** @type {unknown} */ (this.parse(code)));
        return { code: stripDocs(code, ast), map: null };
      },
    },
  };
}
