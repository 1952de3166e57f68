/** Made by scripts/formulas.mjs: HTML by TeX, for every formula of the catalog's activations and row-wise ops. */
declare module 'virtual:formulas/functions' {
  const formulas: Readonly<Record<string, string>>;
  export default formulas;
}

/** The same for its losses. */
declare module 'virtual:formulas/losses' {
  const formulas: Readonly<Record<string, string>>;
  export default formulas;
}
