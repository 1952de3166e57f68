"""Writes the weights of a PyTorch model as safetensors, in float16, with an input and PyTorch's result in the file's texts.

    pip install torch safetensors
    python write_checkpoint.py public/model.safetensors
"""

import json
import sys

import torch
from safetensors.torch import save_file
from torch import nn


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.act = nn.GELU()
        self.down = nn.Linear(4 * width, width)

    def forward(self, x):
        return x + self.down(self.act(self.up(self.norm(x))))


class Net(nn.Module):
    def __init__(self, width=16, depth=3, classes=4):
        super().__init__()
        self.scale = nn.Parameter(torch.full((1,), 0.5))
        self.stem = nn.Linear(8, width)
        self.blocks = nn.ModuleList(Block(width) for _ in range(depth))
        self.head = nn.Linear(width, classes, bias=False)

    def forward(self, x):
        x = self.stem(x) * self.scale
        for block in self.blocks:
            x = block(x)
        return torch.softmax(self.head(x), dim=-1)


torch.manual_seed(0)
# The file has float16; what is expected is the result of the weights as they are in the file.
model = Net().half().float().eval()
x = torch.randn(2, 8)
with torch.no_grad():
    y = model(x)
state = {name: tensor.half().contiguous() for name, tensor in model.state_dict().items()}
texts = {"input": json.dumps(x.tolist()), "output": json.dumps(y.tolist()), "torch": torch.__version__}
save_file(state, sys.argv[1], metadata=texts)
print(f"{len(state)} tensors, {list(state)}")
