// Every module class, under PyTorch's names.
export * from '../ops.ts';
export * from './layers.ts';
export * as init from './init/index.ts';
export { Module } from './module.ts';
export * as utils from './utils/index.ts';
