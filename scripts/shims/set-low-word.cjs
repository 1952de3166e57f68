// @ts-check
// In place of @stdlib/number-float64-base-set-low-word in the build, without its support for engines before 2011.
const view = new DataView(new ArrayBuffer(8));

/**
 * A float64 with its low 32 bits replaced.
 * @param {number} x
 * @param {number} low
 */
module.exports = function setLowWord(x, low) {
  view.setFloat64(0, x);
  view.setUint32(4, low);
  return view.getFloat64(0);
};
