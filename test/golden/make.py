"""Writes golden files for the operations below with PyTorch: `python make.py [folder]`.

The files in this folder came from a conformance set of the same format with more cases; see README.md.
Not run where it was written, for want of PyTorch: checked by reading only.
"""

import base64
import itertools
import json
import math
import pathlib
import sys

import torch
import torch.nn.functional as F

SPECIAL = [s * v for v in (0.0, 1e-40, 1.0, 3.4028234663852886e38, math.inf) for s in (1, -1)] + [math.nan]
EXTREME = [s * v for v in (88.0, 89.0, 104.0, 1e4) for s in (1, -1)]
DTYPES = {torch.float32: "float32", torch.float64: "float64", torch.int32: "int32"}
REDUCTIONS = ("none", "mean", "sum")


def focal_loss(x, y, weight=None, gamma=2.0, ignore_index=-100, reduction="mean"):
    dim = 1 if x.dim() > 1 else 0
    kept = y != ignore_index
    index = torch.where(kept, y, 0)
    lp = F.log_softmax(x, dim).gather(dim, index.unsqueeze(dim)).squeeze(dim)
    scale = torch.ones_like(lp) if weight is None else weight[index]
    scale = torch.where(kept, scale, 0)
    loss = torch.where(kept, -scale * (1 - lp.exp()) ** gamma * lp, 0)
    if reduction == "none":
        return loss
    return loss.sum() / scale.sum() if reduction == "mean" else loss.sum()


def encode(t):
    t = t.detach().contiguous()
    data = base64.b64encode(t.numpy().tobytes()).decode()
    return {"dtype": DTYPES[t.dtype], "shape": list(t.shape), "b64": data}


def tags_of(inputs, grad, out, out32):
    floats = [t for t in [*inputs.values(), grad] if t.is_floating_point()]
    finite = all(t.isfinite().all() for t in floats)
    tags = {
        "empty": any(t.numel() == 0 for t in inputs.values()),
        "subnormal": any(((t != 0) & (t.abs() < 2.0**-126)).any() for t in floats),
        "nonfinite": finite and not out.float().isfinite().all(),
        "f32_differs": not torch.equal(out.float().isfinite(), out32.isfinite()),
    }
    return [tag for tag, holds in tags.items() if holds]


class Writer:
    def __init__(self, op, function, differentiated=("input",)):
        self.op, self.function, self.differentiated = op, function, differentiated
        self.cases = []
        self.random = torch.Generator().manual_seed(sum(map(ord, op)))

    def normal(self, *shape):
        return torch.randn(*shape, generator=self.random) * 2

    def labels(self, classes, *shape):
        return torch.randint(0, classes, shape, generator=self.random, dtype=torch.int32)

    def call(self, inputs, attributes, dtype):
        """The result and the leaves to differentiate it by, in `dtype`."""
        args = {k: v.to(dtype if v.is_floating_point() else torch.int64) for k, v in inputs.items()}
        leaves = {k: args[k].requires_grad_() for k in self.differentiated if k in args}
        # positional for prelu only: the losses have it as an option
        named = {"weight": args.pop("weight")} if "weight" in args and self.op != "prelu" else {}
        return self.function(*args.values(), **named, **attributes), leaves

    def add(self, name, tag, inputs, attributes={}):
        case = {"id": f"{self.op}-{len(self.cases):03}-{name}", "attributes": attributes}
        case["inputs"] = {k: encode(v) for k, v in inputs.items()}
        try:
            out, leaves = self.call(inputs, attributes, torch.float64)
            out32, leaves32 = self.call(inputs, attributes, torch.float32)
        except (RuntimeError, ValueError, IndexError) as error:
            case |= {"tags": ["error"], "error": str(error), "error_type": type(error).__name__}
        else:
            grad = torch.randn(out.shape, generator=self.random)
            grads = torch.autograd.grad(out, list(leaves.values()), grad.double())
            grads32 = torch.autograd.grad(out32, list(leaves32.values()), grad)
            case["tags"] = sorted({tag, *tags_of(inputs, grad, out, out32)})
            case |= {"outputs": {"out": encode(out)}, "torch_f32": {"out": encode(out32)}, "grad_output": encode(grad)}
            case["grads"] = {k: encode(g) for k, g in zip(leaves, grads)}
            case["torch_f32_grads"] = {k: encode(g) for k, g in zip(leaves, grads32)}
        self.cases.append(case)

    def write(self, folder):
        data = {"op": self.op, "torch": torch.__version__, "function": self.function.__name__, "cases": self.cases}
        (folder / f"{self.op}.json").write_text(json.dumps(data, separators=(",", ":")))


def elementwise(op, function, attributes=({},)):
    w = Writer(op, function)
    for shape in [(), (1,), (0,), (3,), (5,), (127,), (129,), (7, 9), (2, 3, 5), (1025,)]:
        w.add(f"{shape}", "typical", {"input": w.normal(*shape)}, attributes[0])
    for k, a in enumerate(attributes):
        w.add(f"attrs{k}-special", "special", {"input": torch.tensor(SPECIAL)}, a)
        w.add(f"attrs{k}-extreme", "extreme", {"input": torch.tensor(EXTREME)}, a)
        w.add(f"attrs{k}-wide", "wide", {"input": w.normal(65) * 10 ** (w.normal(65) * 8)}, a)
    return w


def pointwise_loss(op, function, attributes=({},)):
    w = Writer(op, function, ("input", "target"))
    pairs = torch.tensor(list(itertools.product(SPECIAL, SPECIAL)))
    for reduction, a in itertools.product(REDUCTIONS, attributes):
        a = {**a, "reduction": reduction}
        for shape in [(), (1,), (0,), (5,), (129,), (7, 9), (2, 3, 4, 5)]:
            w.add(f"{reduction}-{shape}", "typical", {"input": w.normal(*shape), "target": w.normal(*shape)}, a)
        w.add(f"{reduction}-broadcast", "broadcast", {"input": w.normal(4, 1), "target": w.normal(1, 5)}, a)
    w.add("special", "special", {"input": pairs[:, 0], "target": pairs[:, 1]}, {**attributes[0], "reduction": "none"})
    w.add("error-shapes", "error", {"input": w.normal(4, 3), "target": w.normal(4, 2)})
    w.add("error-reduction", "error", {"input": w.normal(4), "target": w.normal(4)}, {"reduction": "average"})
    return w


def rowwise(op, function):
    w = Writer(op, function)
    for shape, dim in [((), 0), ((1,), 0), ((3, 0), -1), ((2, 1000), 1), ((7, 9), 0), ((3, 129, 2), 1), ((2, 3, 4, 5), -2)]:
        w.add(f"{shape}-dim{dim}", "typical", {"input": w.normal(*shape)}, {"dim": dim})
    for name, value in (("neg-inf", -math.inf), ("pos-inf", math.inf), ("nan", math.nan)):
        x = w.normal(4, 5)
        x[0, 2], x[2] = value, value
        w.add(name, "special", {"input": x}, {"dim": 1})
    w.add("error-dim-range", "error", {"input": w.normal(4, 6)}, {"dim": 2})
    return w


def class_loss(op, function, options):
    w = Writer(op, function)
    for reduction, option, weighted in itertools.product(REDUCTIONS, options, (False, True)):
        for shape in [(6, 5), (5,), (0, 3), (3, 4, 5), (2, 1000)]:
            classes, y = shape[min(1, len(shape) - 1)], shape[:1] + shape[2:] if len(shape) > 1 else ()
            inputs = {"input": w.normal(*shape), "target": w.labels(classes, *y)}
            if weighted:
                inputs["weight"] = w.normal(classes).abs()
            w.add(f"{reduction}-{shape}", "typical", inputs, {**option, "reduction": reduction})
        ignored = {"input": w.normal(3, 4), "target": torch.full((3,), -100, dtype=torch.int32)}
        w.add(f"all-ignored-{reduction}", "all_ignored", ignored, {"reduction": reduction})
    w.add("error-index", "error", {"input": w.normal(3, 4), "target": torch.tensor([0, 4, 1], dtype=torch.int32)})
    w.add("error-batch-size", "error", {"input": w.normal(3, 4), "target": w.labels(4, 2)})
    return w


def main(folder):
    prelu = Writer("prelu", F.prelu, ("input", "weight"))
    for shape, n in [((), 1), ((5,), 1), ((0, 3), 3), ((4, 3), 3), ((2, 5, 7), 5), ((3, 2, 4, 5), 2), ((2, 3), 4)]:
        prelu.add(f"{shape}-{n}", "typical", {"input": prelu.normal(*shape), "weight": prelu.normal(n)})
    ignore = {"ignore_index": 2}
    for writer in [
        elementwise("relu", F.relu),
        elementwise("leaky_relu", F.leaky_relu, ({}, {"negative_slope": 0.25}, {"negative_slope": -0.5})),
        elementwise("sigmoid", torch.sigmoid),
        elementwise("tanh", torch.tanh),
        prelu,
        pointwise_loss("mse_loss", F.mse_loss),
        pointwise_loss("l1_loss", F.l1_loss),
        pointwise_loss("huber_loss", F.huber_loss, ({}, {"delta": 0.25}, {"delta": 3.0})),
        rowwise("softmax", F.softmax),
        rowwise("log_softmax", F.log_softmax),
        class_loss("nll_loss", F.nll_loss, ({}, ignore)),
        class_loss("cross_entropy", F.cross_entropy, ({}, ignore, {"label_smoothing": 0.25})),
        class_loss("focal_loss", focal_loss, ({}, ignore, {"gamma": 0.0}, {"gamma": 1.5})),
    ]:
        writer.write(folder)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
