/** Made by scripts/formulas.mjs: HTML by TeX, for every formula of the catalog. */
declare module 'virtual:formulas' {
  const formulas: Readonly<Record<string, string>>;
  export default formulas;
}
