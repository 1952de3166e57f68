// The model of write_checkpoint.py with its weights: the same names, and the same results.
import { add, init, mul, nn, noGrad, safetensors, softmax, tensor, type Tensor } from 'nonlin';

class Block extends nn.Module {
  norm: nn.LayerNorm;
  up: nn.Linear;
  act = new nn.GELU();
  down: nn.Linear;

  constructor(width: number) {
    super();
    this.norm = new nn.LayerNorm(width);
    this.up = new nn.Linear(width, 4 * width);
    this.down = new nn.Linear(4 * width, width);
  }

  override forward(x: Tensor): Tensor {
    return add(x, this.down.forward(this.act.forward(this.up.forward(this.norm.forward(x)))));
  }
}

class Net extends nn.Module {
  scale = tensor([0.5], { requiresGrad: true });
  stem: nn.Linear;
  blocks: nn.ModuleList<Block>;
  head: nn.Linear;

  constructor(width = 16, depth = 3, classes = 4) {
    super();
    this.stem = new nn.Linear(8, width);
    this.blocks = new nn.ModuleList(Array.from({ length: depth }, () => new Block(width)));
    this.head = new nn.Linear(width, classes, { bias: false });
  }

  override forward(x: Tensor): Tensor {
    const stem = mul(this.stem.forward(x), this.scale);
    const y = [...this.blocks].reduce((value, block) => block.forward(value), stem);
    return softmax(this.head.forward(y), { dim: -1 });
  }
}

const device = await init();
const output = document.querySelector('output');
const say = (text: string): void => {
  if (output) output.value = text;
};

// The stream is read once; its texts are in the first bytes, of which the copy here has all, as the file is small.
const response = await fetch('./model.safetensors');
const copy = response.clone();
const state = await safetensors.load(response, {
  onProgress: ({ loaded, total }) => {
    say(`${Math.round((100 * loaded) / total)} % loaded`);
  },
});
const model = new Net();
model.loadStateDict(state, { cast: true }); // the file has float16, the model float32
for (const loaded of Object.values(state)) loaded.dispose();
model.eval();

const texts = safetensors.metadata(await copy.arrayBuffer());
const input = JSON.parse(texts.input ?? '[]') as number[][];
const expected = (JSON.parse(texts.output ?? '[]') as number[][]).flat();
const values = await noGrad(() => model.forward(tensor(input))).data();
const worst = Math.max(...expected.map((value, i) => Math.abs(value - (values[i] ?? NaN))));
say(`done on ${device.type}: at most ${worst.toExponential(1)} off PyTorch ${texts.torch ?? ''}`);
