// @ts-check
// In place of @stdlib/math-base-special-exp in the build: engines' Math.exp is as exact, and weighs nothing.
module.exports = Math.exp;
