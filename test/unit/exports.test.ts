// What the two barrels export: the root functions, `nn` classes, as PyTorch's torch.nn.functional and torch.nn.
import { expect, it } from 'vitest';
import { isDocumented } from '../../src/define/op.ts';
import * as nonlin from '../../src/index.ts';
import * as nn from '../../src/nn/index.ts';

/** Namespaces of functions that `nn` has, as torch.nn has them. */
const HELPERS = ['init', 'utils'];

/** Every file that may declare ops. */
const files = import.meta.glob<object>(
  '../../src/{activations,attention,distances,embeddings,gated,losses,norms,rowwise}/*.ts',
  { eager: true },
);

const isModuleClass = (value: unknown): boolean =>
  value === nn.Module || (typeof value === 'function' && value.prototype instanceof nn.Module);

const namesOf = (space: object, wanted: (value: unknown) => boolean): string[] =>
  Object.entries(space)
    .filter(([, value]) => wanted(value))
    .map(([name]) => name)
    .sort();

/** The same of all files, but their default exports. */
const declared = (wanted: (value: unknown) => boolean): string[] =>
  Object.values(files)
    .flatMap((file) => namesOf(file, wanted))
    .filter((name) => name !== 'default')
    .sort();

it('nn has classes of modules and the helpers, nothing else', () => {
  expect(namesOf(nn, (value) => !isModuleClass(value))).toEqual(HELPERS);
});

it('the root has no class of a module', () => {
  expect(namesOf(nonlin, isModuleClass)).toEqual([]);
});

it('nn has the class of every op that has one', () => {
  const classes = declared(isModuleClass);
  expect(classes.length).toBeGreaterThan(100);
  expect(namesOf(nn, isModuleClass)).toEqual(expect.arrayContaining(classes));
});

it('the root has the function of every op', () => {
  const functions = declared(isDocumented);
  expect(functions.length).toBeGreaterThan(100);
  expect(namesOf(nonlin, isDocumented)).toEqual(functions);
});

it('nn of the root is the entry', () => {
  expect(nonlin.nn).toBe(nn);
});
