"""Names and shapes of the state of models, in PyTorch's order: python make.py > names.json"""

import json
from collections import OrderedDict

import torch
from torch import nn


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.fc = nn.Linear(width, width)
        self.scale = nn.Parameter(torch.ones(1))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(OrderedDict(fc=nn.Linear(3, 4, bias=False), norm=nn.BatchNorm1d(4), act=nn.PReLU()))
        self.blocks = nn.ModuleList([Residual(4), Residual(4)])
        self.skip = nn.Identity()
        self.heads = nn.ModuleDict(dict(color=nn.Linear(4, 2), digit=nn.Sequential(nn.LayerNorm(4), nn.ReLU(), nn.Linear(4, 3))))
        self.attention = nn.MultiheadAttention(4, 2, add_bias_kv=True)
        self.layers = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8), 2, norm=nn.LayerNorm(4))
        self.tokens = nn.Embedding(5, 4)
        self.out = nn.Linear(4, 5, bias=False)
        self.out.weight = self.tokens.weight
        self.gain = nn.Parameter(torch.ones(4))
        self.register_buffer("steps", torch.zeros(1))
        # replaced: keeps its place
        self.blocks[0] = nn.Linear(4, 4)
        self.stem.act = nn.ReLU()


net = Net()
print(json.dumps({
    "torch": torch.__version__,
    "state": [[name, list(tensor.shape)] for name, tensor in net.state_dict().items()],
    "parameters": [name for name, _ in net.named_parameters()],
    "children": [name for name, _ in net.named_children()],
}, indent=2))
