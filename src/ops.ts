// Every declared op, one line each: its function and its module class. Adding an op adds a line here.
export * from './activations/leaky-relu.ts';
export * from './activations/prelu.ts';
export * from './activations/relu.ts';
export * from './activations/sigmoid.ts';
export * from './activations/tanh.ts';
export * from './losses/cross-entropy.ts';
export * from './losses/focal-loss.ts';
export * from './losses/huber-loss.ts';
export * from './losses/l1-loss.ts';
export * from './losses/mse-loss.ts';
export * from './losses/nll-loss.ts';
export * from './rowwise/log-softmax.ts';
export * from './rowwise/softmax.ts';
