"""Prints the signatures of PyTorch's functions and classes that nonlin has, as JSON: `python3 scripts/torch-signatures.py`.

Written to scripts/torch-signatures.json by hand; what newer versions add stands in scripts/signatures.ts. Functions written
in C++ say their signature in the first line of their documentation only.
"""
import ast
import inspect
import json
import sys

import torch
import torch.nn.functional as F

FUNCTIONS = """threshold relu hardtanh hardswish relu6 elu selu celu leaky_relu prelu rrelu logsigmoid hardshrink tanhshrink
softsign softplus softshrink gelu tanh sigmoid hardsigmoid silu mish glu softmax softmin log_softmax gumbel_softmax
batch_norm group_norm instance_norm layer_norm local_response_norm normalize
l1_loss mse_loss huber_loss smooth_l1_loss gaussian_nll_loss poisson_nll_loss binary_cross_entropy
binary_cross_entropy_with_logits kl_div hinge_embedding_loss soft_margin_loss margin_ranking_loss cross_entropy nll_loss
cosine_embedding_loss ctc_loss multi_margin_loss multilabel_margin_loss multilabel_soft_margin_loss triplet_margin_loss
triplet_margin_with_distance_loss cosine_similarity pairwise_distance embedding linear dropout""".split()
OPTIMIZERS = "SGD Adam AdamW RMSprop".split()
SCHEDULERS = """LambdaLR StepLR MultiStepLR LinearLR ExponentialLR CosineAnnealingLR CosineAnnealingWarmRestarts OneCycleLR
ReduceLROnPlateau SequentialLR""".split()


def of_documentation(function):
    line = next(l for l in function.__doc__.strip().splitlines() if "(" in l)
    inside = line[line.index("(") + 1 : line.rindex(")", 0, line.find("->") if "->" in line else None)]
    call = ast.parse(f"def f({inside.replace('*,', '*,') if inside else ''}): pass").body[0].args
    names = [a.arg for a in call.args + call.kwonlyargs]
    given = list(call.defaults) + [d for d in call.kw_defaults if d is not None]
    defaults = [None] * (len(names) - len(given)) + given
    return {n: None if d is None else ast.unparse(d) for n, d in zip(names, defaults)}


def signature(function):
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:
        return of_documentation(function)
    return {p.name: None if p.default is p.empty else repr(p.default) for p in parameters}


table = {"version": torch.__version__.split("a")[0]}
for prefix, place, names in [
    ("", F, FUNCTIONS),
    ("optim.", torch.optim, OPTIMIZERS),
    ("optim.lr_scheduler.", torch.optim.lr_scheduler, SCHEDULERS),
]:
    for name in names:
        table[prefix + name] = signature(getattr(place, name))
json.dump(table, sys.stdout, indent=2)
