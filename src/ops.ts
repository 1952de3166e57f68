// Every declared op, one line each: its function and its module class. Adding an op adds a line here.
export * from './activations/leaky-relu.ts';
export * from './activations/prelu.ts';
export * from './activations/relu.ts';
export * from './activations/sigmoid.ts';
export * from './activations/tanh.ts';
