"""Writes the golden files of training with PyTorch: `python training.py [folder]`. Run with PyTorch 1.13.

optimizers.json.gz: parameters after each of some steps, in float64, from given gradients. schedules.json.gz: learning rates (and
momenta) of the groups after each step of a scheduler. Numbers are JSON's: float64.
"""

import gzip
import json
import math
import pathlib
import sys

import torch
from torch.optim import lr_scheduler as lrs

STEPS = 60


def write(folder, name, cases):
    data = json.dumps({"torch": torch.__version__, "cases": cases}, separators=(",", ":"))
    (folder / f"{name}.json.gz").write_bytes(gzip.compress(data.encode(), mtime=0))


def as_float32(t):
    return t.float().double()


def optimizers():
    """Each case: kind, options, groups of options, start values, gradients by step, expected values by step."""
    random = torch.Generator().manual_seed(20)
    shapes = [(5,), (2, 3), (1,)]
    cases = []

    def add(kind, options, groups=None, steps=6):
        start = [as_float32(torch.randn(s, generator=random)) for s in shapes]
        grads = [[as_float32(torch.randn(s, generator=random)) for s in shapes] for _ in range(steps)]
        # One parameter has no gradient in the second step.
        grads[1][1] = None
        params = [t.clone().requires_grad_() for t in start]
        given = params
        if groups is not None:
            given = [{"params": [params[i] for i in members], **own} for members, own in groups]
        optimizer = getattr(torch.optim, kind)(given, **options)
        expected = []
        for step in grads:
            for p, g in zip(params, step):
                p.grad = None if g is None else g.clone()
            optimizer.step()
            expected.append([p.detach().flatten().tolist() for p in params])
        flat = lambda t: None if t is None else t.flatten().tolist()
        cases.append(
            {
                "kind": kind,
                "options": options,
                "groups": groups,
                "shapes": shapes,
                "start": [flat(t) for t in start],
                "grads": [[flat(t) for t in step] for step in grads],
                "expected": expected,
            }
        )

    for options in (
        {"lr": 0.1},
        {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.1},
        {"lr": 0.1, "momentum": 0.9, "dampening": 0.5},
        {"lr": 0.1, "momentum": 0.5, "nesterov": True, "maximize": True},
    ):
        add("SGD", options)
    add("SGD", {"lr": 0.1, "momentum": 0.9}, [([0, 2], {"lr": 0.5}), ([1], {"momentum": 0.0, "weight_decay": 0.5})])
    for kind in ("Adam", "AdamW"):
        for options in (
            {},
            {"lr": 0.1, "betas": [0.5, 0.75], "weight_decay": 0.25},
            {"lr": 0.1, "amsgrad": True, "eps": 0.01},
            {"lr": 0.1, "maximize": True},
        ):
            add(kind, options)
        add(kind, {"lr": 0.1}, [([0], {"betas": [0.5, 0.9]}), ([1, 2], {"lr": 0.02, "weight_decay": 0.5, "amsgrad": True})])
    for options in (
        {},
        {"lr": 0.1, "alpha": 0.5, "eps": 0.1},
        {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.25},
        {"lr": 0.1, "centered": True},
        {"lr": 0.1, "centered": True, "momentum": 0.5, "alpha": 0.9, "maximize": True},
    ):
        add("RMSprop", options)
    add("RMSprop", {"lr": 0.1}, [([0, 1], {"momentum": 0.5}), ([2], {"centered": True, "alpha": 0.75})])
    return cases


def schedules():
    """Each case: the optimizer's kind, the groups' rates, schedulers (one after another each step), and what follows."""
    cases = []

    def build(optimizer, spec):
        kind, args = spec["kind"], list(spec["args"])
        if kind == "SequentialLR":
            args[0] = [build(optimizer, one) for one in args[0]]
        if kind == "LambdaLR":
            functions = {"power": lambda e: 0.9**e, "root": lambda e: 1 / math.sqrt(e + 1)}
            args = [[functions[f] for f in args[0]] if isinstance(args[0], list) else functions[args[0]]]
        return getattr(lrs, kind)(optimizer, *args, **spec["options"])

    def add(*specs, kind="SGD", options={"momentum": 0.9}, rates=(0.5, 0.03), metrics=None, steps=STEPS, epochs=None):
        params = [torch.zeros(1, requires_grad=True) for _ in rates]
        groups = [{"params": [p], "lr": lr} for p, lr in zip(params, rates)]
        optimizer = getattr(torch.optim, kind)(groups, lr=0.1, **options)
        schedulers = [build(optimizer, spec) for spec in specs]
        read = lambda: [
            [g["lr"], g["betas"][0] if "betas" in g else g.get("momentum", 0)] for g in optimizer.param_groups
        ]
        expected, last = [read()], [[]]
        for step in range(steps):
            optimizer.step()
            for scheduler in schedulers:
                if metrics is not None:
                    scheduler.step(metrics[step])
                elif epochs is not None:
                    scheduler.step(epochs[step])
                else:
                    scheduler.step()
            expected.append(read())
            last.append(list(schedulers[-1]._last_lr))
        case = {"optimizer": kind, "options": options, "rates": list(rates), "schedulers": list(specs), "steps": steps}
        case |= {"metrics": metrics, "epochs": epochs, "expected": expected, "last": last}
        cases.append(case)

    one = lambda kind, *args, **options: {"kind": kind, "args": list(args), "options": options}
    add(one("StepLR", 7))
    add(one("StepLR", 1, gamma=0.95))
    add(one("StepLR", 20, gamma=0.5), kind="Adam", options={})
    add(one("MultiStepLR", [3, 10, 10, 40]))
    add(one("MultiStepLR", [40, 5], gamma=0.3))
    add(one("ExponentialLR", 0.9))
    add(one("ExponentialLR", 1.02))
    add(one("CosineAnnealingLR", 60))
    add(one("CosineAnnealingLR", 10))
    add(one("CosineAnnealingLR", 7, eta_min=0.01))
    add(one("CosineAnnealingLR", 1, eta_min=0.01))
    add(one("CosineAnnealingWarmRestarts", 10))
    add(one("CosineAnnealingWarmRestarts", 4, T_mult=2, eta_min=0.001))
    add(one("CosineAnnealingWarmRestarts", 1, T_mult=3))
    add(one("CosineAnnealingWarmRestarts", 5, T_mult=2), epochs=[i / 4 for i in range(STEPS)])
    add(one("CosineAnnealingWarmRestarts", 3), epochs=[(i * 7) % 11 + 0.5 for i in range(STEPS)])
    add(one("LinearLR"))
    add(one("LinearLR", start_factor=0.01, total_iters=20))
    add(one("LinearLR", start_factor=1.0, end_factor=0.0, total_iters=30))
    add(one("LinearLR", start_factor=0.3, end_factor=0.0, total_iters=10))
    add(one("OneCycleLR", 0.4, total_steps=60))
    add(one("OneCycleLR", 0.4, total_steps=61, anneal_strategy="linear", pct_start=0.25))
    add(one("OneCycleLR", [0.4, 0.1], epochs=5, steps_per_epoch=12, three_phase=True, div_factor=10.0))
    add(one("OneCycleLR", 0.1, total_steps=60, three_phase=True, anneal_strategy="linear", final_div_factor=100.0), kind="Adam", options={})
    add(one("OneCycleLR", 0.1, total_steps=70, base_momentum=[0.5, 0.6], max_momentum=[0.9, 0.8]), kind="AdamW", options={})
    add(one("OneCycleLR", 0.1, total_steps=60, cycle_momentum=False), kind="RMSprop", options={})
    add(one("OneCycleLR", 0.1, total_steps=60), kind="RMSprop", options={})
    add(one("LambdaLR", "power"))
    add(one("LambdaLR", ["power", "root"]))
    random = torch.Generator().manual_seed(7)
    falling = [1 / (1 + 0.2 * min(i, 20)) + 0.01 * torch.rand(1, generator=random).item() for i in range(STEPS)]
    add(one("ReduceLROnPlateau"), metrics=falling)
    add(one("ReduceLROnPlateau", patience=2, factor=0.5), metrics=falling)
    add(one("ReduceLROnPlateau", patience=3, cooldown=4, min_lr=0.002), metrics=[1.0] * STEPS)
    add(one("ReduceLROnPlateau", mode="max", patience=1, threshold=0.02, threshold_mode="abs", min_lr=[0.1, 0.0]), metrics=falling)
    add(one("ReduceLROnPlateau", mode="max", patience=4, threshold=0.1, factor=0.7), metrics=[-f for f in falling])
    add(one("ReduceLROnPlateau", patience=0, eps=0.01), metrics=falling)
    add(one("ReduceLROnPlateau", patience=2), metrics=[-(i % 9) * 1.0 for i in range(STEPS)])
    # Several on one optimizer: each acts on what the others left.
    add(one("LinearLR", start_factor=0.1, total_iters=8), one("ExponentialLR", 0.95))
    add(one("StepLR", 6, gamma=0.5), one("MultiStepLR", [10, 30], gamma=2.0), one("CosineAnnealingLR", 25))
    add(one("ExponentialLR", 0.9), one("CosineAnnealingLR", 12, eta_min=0.001))
    # One after another.
    add(one("SequentialLR", [one("LinearLR", total_iters=5), one("CosineAnnealingLR", 55)], [5]))
    add(one("SequentialLR", [one("LinearLR", start_factor=0.1, total_iters=10), one("StepLR", 4, gamma=0.8), one("ExponentialLR", 0.9)], [10, 33]))
    add(one("SequentialLR", [one("LambdaLR", "power"), one("CosineAnnealingWarmRestarts", 6, T_mult=2)], [12]))
    add(one("SequentialLR", [one("ExponentialLR", 0.8), one("MultiStepLR", [2, 20], gamma=0.2)], [3]))
    add(one("SequentialLR", [one("CosineAnnealingLR", 9), one("LinearLR", total_iters=7), one("LambdaLR", "root")], [9, 20]))
    return cases


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    write(folder, "optimizers", optimizers())
    write(folder, "schedules", schedules())


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "training")
