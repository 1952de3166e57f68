"""Writes transformer.json.gz, layers of transformers of PyTorch: `python transformer.py [folder]`. Run with PyTorch 1.13.

Weights and inputs are float32 numbers; results and gradients are computed from them in float64. In PyTorch's masks what is not 0
is not attended to; float masks are added.
"""

import base64
import gzip
import json
import pathlib
import sys

import torch

torch.manual_seed(7)
DTYPES = {torch.float32: "float32", torch.float64: "float64", torch.uint8: "uint8"}


def encode(t):
    t = t.detach().contiguous()
    data = base64.b64encode(t.numpy().tobytes()).decode()
    return {"dtype": DTYPES[t.dtype], "shape": list(t.shape), "b64": data}


def normal(*shape):
    return torch.randn(shape)


def case(kind, name, options, inputs, masks):
    """`masks`: by PyTorch's names; bool or float."""
    module = getattr(torch.nn, kind)(16, 4, 24, dropout=0.1, **options).double().eval()
    for key, parameter in module.named_parameters():
        # Norms and biases that are not 1 and 0.
        drawn = normal(*parameter.shape)
        parameter.data = (drawn * 0.3 + (1 if key.startswith("norm") and key.endswith("weight") else 0)).float().double()
    leaves = [t.double().requires_grad_() for t in inputs]
    wide = {k: m if m.dtype == torch.bool else m.double() for k, m in masks.items()}
    out = module(*leaves, **wide)
    upstream = normal(*out.shape)
    out.backward(upstream.double())
    names = ("src",) if len(inputs) == 1 else ("tgt", "memory")
    return {
        "id": name,
        "kind": kind,
        "options": options,
        "state": {k: encode(v.float()) for k, v in module.state_dict().items()},
        "inputs": {k: encode(t) for k, t in zip(names, inputs)},
        "masks": {k: encode(m.to(torch.uint8) if m.dtype == torch.bool else m) for k, m in masks.items()},
        "grad_output": encode(upstream),
        "out": encode(out),
        "grads": {
            **{k: encode(t.grad) for k, t in zip(names, leaves)},
            **{k: encode(p.grad) for k, p in module.named_parameters()},
        },
    }


def triangle(n):
    return torch.ones(n, n, dtype=torch.bool).triu(1)


def padding(*lengths):
    longest = max(lengths)
    return torch.tensor([[i >= n for i in range(longest)] for n in lengths])


cases = [
    case(
        "TransformerEncoderLayer",
        "post-norm, relu, padding",
        {},
        [normal(5, 2, 16)],
        {"src_key_padding_mask": padding(5, 3)},
    ),
    case(
        "TransformerEncoderLayer",
        "pre-norm, gelu, batch first, causal and padding",
        {"norm_first": True, "activation": "gelu", "batch_first": True, "layer_norm_eps": 1e-3},
        [normal(3, 6, 16)],
        {"src_mask": triangle(6), "src_key_padding_mask": padding(6, 4, 1)},
    ),
    case(
        "TransformerEncoderLayer",
        "post-norm, gelu, no batch, float mask",
        {"activation": "gelu"},
        [normal(4, 16)],
        {"src_mask": normal(4, 4)},
    ),
    case(
        "TransformerDecoderLayer",
        "post-norm, relu, batch first, all masks",
        {"batch_first": True},
        [normal(2, 4, 16), normal(2, 7, 16)],
        {
            "tgt_mask": triangle(4),
            "tgt_key_padding_mask": padding(4, 2),
            "memory_mask": torch.tensor([[(i + j) % 3 == 1 for j in range(7)] for i in range(4)]),
            "memory_key_padding_mask": padding(7, 5),
        },
    ),
    case(
        "TransformerDecoderLayer",
        "pre-norm, gelu",
        {"norm_first": True, "activation": "gelu"},
        [normal(3, 2, 16), normal(5, 2, 16)],
        {"tgt_mask": triangle(3)},
    ),
]

folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__)
folder = folder if folder.is_dir() else folder.parent / "training"
data = json.dumps({"torch": torch.__version__, "cases": cases}, separators=(",", ":"))
(folder / "transformer.json.gz").write_bytes(gzip.compress(data.encode(), mtime=0))
