// Modules of your own: what their fields hold is found, named and ordered as in PyTorch.
import {
  add,
  cat,
  init,
  manualSeed,
  mseLoss,
  mul,
  nn,
  optim,
  randn,
  scope,
  sum,
  tanh,
  tensor,
  type Tensor,
} from 'nonlin';

/** x + scale · tanh(fc(x)), with a learned scale. */
class Residual extends nn.Module {
  fc: nn.Linear;
  scale = tensor([0.1], { requiresGrad: true });

  constructor(width: number) {
    super();
    this.fc = new nn.Linear(width, width);
  }

  override forward(x: Tensor): Tensor {
    return add(x, mul(tanh(this.fc.forward(x)), this.scale));
  }
}

/** Two inputs and two results: the types of `forward` are the module's own. */
class TwoTowers extends nn.Module<
  { scores: Tensor; joined: Tensor },
  [left: Tensor, right: Tensor]
> {
  towers = new nn.ModuleDict({
    left: new nn.Sequential(new nn.Linear(3, 8), new Residual(8)),
    right: new nn.Sequential(new nn.Linear(5, 8), new Residual(8)),
  });
  head = new nn.ModuleList([new nn.Linear(16, 8), new nn.Linear(8, 1)]);

  override forward(left: Tensor, right: Tensor): { scores: Tensor; joined: Tensor } {
    const joined = cat(
      [this.towers.get('left').forward(left), this.towers.get('right').forward(right)],
      { dim: 1 },
    );
    const scores = [...this.head].reduce((x, layer) => layer.forward(x), joined);
    return { scores, joined };
  }
}

const device = await init();
manualSeed(2);
const model = new TwoTowers();

// A part that is frozen stays in the state; the optimizer leaves it as it is.
for (const parameter of model.towers.get('right').parameters()) parameter.requiresGrad = false;

const [left, right] = [randn([32, 3]), randn([32, 5])];
const target = sum(left, { dim: 1, keepdim: true });
const optimizer = new optim.Adam(model.parameters(), { lr: 0.02 });
for (let i = 0; i < 150; i++) {
  scope(() => {
    optimizer.zeroGrad();
    mseLoss(model.forward(left, right).scores, target).backward();
    optimizer.step();
  });
}
const loss = await mseLoss(model.forward(left, right).scores, target).item();

const output = document.querySelector('output');
if (output) {
  const names = Object.keys(model.stateDict());
  output.value = `done on ${device.type}: loss ${loss.toFixed(4)}; ${names.length} tensors: ${names.join(' ')}`;
}
