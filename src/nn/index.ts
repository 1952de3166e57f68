// Every module class, under PyTorch's names.
export * from '../ops.ts';
export * from './layers.ts';
export { Module } from './module.ts';
