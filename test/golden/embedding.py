"""Writes embedding_more.json.gz, gradients of tables that are scaled by frequency: `python embedding.py [folder]`. Run with PyTorch 1.13.

The format is that of the other files here. Weights and gradients are float32 numbers; results are computed from them in float64.
"""

import gzip
import json
import pathlib
import sys

import torch
import torch.nn.functional as F
from make import encode

random = torch.Generator().manual_seed(15)


def normal(*shape):
    return torch.randn(*shape, generator=random)


def case(name, indices, shape, padding_idx=None, tags=("typical",), grad=None):
    weight = normal(*shape)
    attributes = {"scale_grad_by_freq": True}
    if padding_idx is not None:
        attributes["padding_idx"] = padding_idx
    grad = normal(*indices.shape, shape[1]) if grad is None else grad

    def run(dtype):
        leaf = weight.to(dtype).requires_grad_()
        out = F.embedding(indices.long(), leaf, **attributes)
        out.backward(grad.to(dtype))
        return out, leaf.grad

    (out, gradient), (out32, gradient32) = run(torch.float64), run(torch.float32)
    return {
        "id": f"embedding_more-{name}",
        "attributes": attributes,
        "tags": list(tags),
        "inputs": {"indices": encode(indices.int()), "weight": encode(weight)},
        "outputs": {"out": encode(out)},
        "grad_output": encode(grad),
        "grads": {"weight": encode(gradient)},
        "torch_f32": {"out": encode(out32)},
        "torch_f32_grads": {"weight": encode(gradient32)},
    }


def main(folder):
    def draw(rows, *shape):
        return torch.randint(0, rows, shape, generator=random)

    huge = torch.tensor([[3e38], [3e38], [-2e38], [1.0], [3e38]])
    cases = [
        case("default", draw(7, 3, 5), (7, 4)),
        case("scalar", draw(7), (7, 4)),
        case("one-column", draw(5, 40), (5, 1)),
        case("wide", draw(3, 9), (3, 129)),
        case("padding", draw(7, 24), (7, 4), 2),
        case("padding-from-the-end", draw(4, 30), (4, 3), -1),
        case("padding-only", torch.full((2, 3), 1), (7, 4), 1),
        case("one-index", torch.full((1025,), 3), (7, 2)),
        case("many", draw(9, 65, 9), (9, 4)),
        case("many-rows", draw(300, 400), (300, 2)),
        case("all-once", torch.arange(7), (7, 4)),
        case("empty", torch.zeros(0, dtype=torch.int64), (7, 4), tags=("empty", "typical")),
        # What a row receives is divided before it is added up: the sum would overflow.
        case("huge", torch.tensor([0, 0, 0, 1, 0]), (2, 1), tags=("wide",), grad=huge),
    ]
    data = {"op": "embedding_more", "op_of": "embedding", "torch": torch.__version__}
    data |= {"function": "torch.nn.functional.embedding", "cases": cases}
    text = json.dumps(data, separators=(",", ":"))
    (folder / "embedding_more.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
