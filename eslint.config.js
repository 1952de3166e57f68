// @ts-check
import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import { createNodeResolver, importX } from 'eslint-plugin-import-x';
import globals from 'globals';
import tseslint from 'typescript-eslint';
import { WITH_OTHERS } from './test/interop/names.mjs';

export default defineConfig(
  globalIgnores(['dist/', 'demo/dist/', 'bench/dist/', 'test-results/', 'coverage/', 'site/']),
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    languageOptions: {
      globals: { ...globals.browser, ...globals.node },
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      eqeqeq: 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        // a default case answers for the members it does not name
        { considerDefaultExhaustiveForUnions: true },
      ],
      // a leading underscore says that a parameter is there for the signature only
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' },
      ],
      // numbers in messages are this library's daily bread: `expected ${n} elements`
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // `() => queue.submit(...)` reads well where the value is not used
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // index loops over typed arrays are the plain way to write numeric kernels
      '@typescript-eslint/prefer-for-of': 'off',
      // a function that returns a promise may fail before it awaits: async without await is fine
      '@typescript-eslint/require-await': 'off',
      // `while (true)` with a return inside is clear
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      // interfaces and type aliases each have their use
      '@typescript-eslint/consistent-type-definitions': 'off',
      // a non-empty-string test by truthiness is meant in `a || b`; `??` would differ
      '@typescript-eslint/prefer-nullish-coalescing': ['error', { ignorePrimitives: true }],
    },
  },
  {
    files: ['src/**/*.ts'],
    plugins: { 'import-x': importX },
    settings: {
      'import-x/resolver-next': [createNodeResolver()],
      'import-x/extensions': ['.ts'],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
    },
    rules: {
      // types may refer to each other; code that runs may not: bundlers warn of it, and order matters then
      'import-x/no-cycle': ['error', { ignoreExternal: true }],
    },
  },
  {
    // the libraries that they use are not installed here: the lane `interop` checks their types
    files: WITH_OTHERS.map((name) => `examples/${name}/**`),
    extends: [tseslint.configs.disableTypeChecked],
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // empty callbacks stand for "does nothing" in tests
      '@typescript-eslint/no-empty-function': 'off',
    },
  },
);
