// @ts-check
/**
 * Which errors the functions of ops throw, in one place. The `@throws` lines are added to their documentation where people read it: in
 * the package's declarations, which editors show (`dts.mjs`), and on the site (`site.mjs`). Functions that are no ops have lines of
 * their own in `src`. test/unit/throws.test.ts compares all of them with what calls throw.
 */

/** @type {Readonly<Record<string, string>>} */
const SAYS = {
  DTypeError: 'for an argument that is no tensor, or a tensor of another dtype',
  ShapeError: 'for shapes that do not fit',
  OptionError: 'for an option that is unknown, or a value out of its range',
  IndexOutOfRangeError: 'for a dimension, class or position that is not there',
  DeviceMismatchError: 'for tensors of several devices',
  DisposedError: 'for a tensor or a device that is disposed',
};
const OPS = ['DTypeError', 'ShapeError', 'OptionError', 'DeviceMismatchError', 'DisposedError'];

/** Ops that take a dimension or positions. */
const INDEXED = new Set(
  (
    'geglu glu reglu swiglu adaptiveLogSoftmaxWithLoss crossEntropy arcFaceLoss cosFaceLoss diceWithLogits ctcLoss embedding focalLoss focalTverskyLoss ' +
    'generalizedCrossEntropy jaccardLoss linearCrossEntropy multiMarginLoss multilabelMarginLoss nllLoss polyLoss tverskyLoss normalize entmax15 gumbelSoftmax logSoftmax softmax ' +
    'softmin sparsemax sum mean permute transpose narrow cat max argmax logsumexp cosineSimilarity'
  ).split(' '),
);
/** Errors that an op has no argument for. @type {Readonly<Record<string, readonly string[]>>} */
const WITHOUT = {
  reshape: ['OptionError', 'DeviceMismatchError'],
  max: ['DeviceMismatchError'],
};

/** Where the functions of ops are. */
const FOLDERS =
  /\/(activations|attention|distances|embeddings|gated|losses|math|norms|rowwise)\/[^/]+?(?:\.d)?\.ts$/;
const DOCUMENTED =
  /\/\*\*((?:(?!\*\/)[^])*)\*\/\n(?=export (?:declare )?(?:const|function) ([a-z]\w*))/g;

/**
 * The names of the errors that an op throws.
 * @param {string} op
 */
export function errorsOf(op) {
  const all = Object.keys(SAYS).filter((name) => OPS.includes(name) || INDEXED.has(op));
  return all.filter((name) => !WITHOUT[op]?.includes(name));
}

/**
 * The texts of the `@throws` tags of an op.
 * @param {string} op
 */
export function throwsOf(op) {
  return errorsOf(op).map((name) => `\`${name}\` ${SAYS[name]}.`);
}

/**
 * Whether a file has functions of ops.
 * @param {string} path
 */
export function hasOps(path) {
  return FOLDERS.test(path);
}

/**
 * The text of a module, or of its declarations, with `@throws` lines for the ops that have none of their own.
 * @param {string} path
 * @param {string} text
 */
export function withThrows(path, text) {
  if (!hasOps(path)) return text;
  return text.replace(DOCUMENTED, (doc, /** @type {string} */ body, /** @type {string} */ name) => {
    if (/@throws|@internal/.test(body)) return doc;
    const tags = throwsOf(name).map((line) => ` * @throws ${line}\n`);
    const gap = /^ \* @/m.test(body) ? '' : ' *\n';
    const said = body.includes('\n') ? body.trimEnd() : `\n * ${body.trim()}`;
    return `/**${said}\n${gap}${tags.join('')} */\n`;
  });
}
