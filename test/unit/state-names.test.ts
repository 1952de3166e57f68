// Names, shapes and order of a model's state, parameters and children, as PyTorch has them (test/state-names/make.py).
/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment -- classes of norms come from functions */
import { expect, it } from 'vitest';
import { add, nn, ones, zeros, type Tensor } from '../../src/index.ts';
import names from '../state-names/names.json' with { type: 'json' };

class Residual extends nn.Module {
  fc: nn.Linear;
  scale = ones([1], { requiresGrad: true });
  constructor(width: number) {
    super();
    this.fc = new nn.Linear(width, width);
  }
  override forward(x: Tensor): Tensor {
    return add(x, this.fc.forward(x));
  }
}

class Net extends nn.Module {
  stem = new nn.Sequential({
    fc: new nn.Linear(3, 4, { bias: false }),
    norm: new nn.BatchNorm1d(4),
    act: new nn.ReLU(),
  });
  blocks = new nn.ModuleList<nn.Module>([new Residual(4), new Residual(4)]);
  skip = new nn.Identity();
  heads = new nn.ModuleDict({
    color: new nn.Linear(4, 2),
    digit: new nn.Sequential(new nn.LayerNorm(4), new nn.ReLU(), new nn.Linear(4, 3)),
  });
  attention = new nn.MultiheadAttention(4, 2, { addBiasKv: true });
  layers = new nn.TransformerEncoder(
    new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 8 }),
    2,
    { norm: new nn.LayerNorm(4) },
  );
  tokens = new nn.Embedding(5, 4);
  out = new nn.Linear(4, 5, { bias: false });
  gain = ones([4], { requiresGrad: true });
  steps = this.buffer('steps', zeros([1]));

  constructor() {
    super();
    Reflect.set(this.out, 'weight', this.tokens.weight);
    Reflect.set(this.blocks, 0, new nn.Linear(4, 4));
  }

  override forward(x: Tensor): Tensor {
    return x;
  }
}

it("are PyTorch's", () => {
  const net = new Net();
  expect(Object.entries(net.stateDict()).map(([name, { shape }]) => [name, shape])).toEqual(
    names.state,
  );
  expect(net.namedParameters().map(([name]) => name)).toEqual(names.parameters);
  expect(net.namedChildren().map(([name]) => name)).toEqual(names.children);
});
