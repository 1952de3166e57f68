# In: demo/public/mnist.bin.gz (`npm run data`). Out, beside this file: digits.onnx, a trained perceptron, and cases.json, small
# ones with what they give, and models that are none. Run with PyTorch 1.13 (Debian 12's python3-torch): python3 test/onnx/make.py
import base64
import gzip
import io
import json
import pathlib

import torch
from torch import nn

HERE = pathlib.Path(__file__).parent
MNIST = HERE / "../../demo/public/mnist.bin.gz"


def export(model, example, **options):
    file = io.BytesIO()
    torch.onnx.export(model.eval(), example, file, opset_version=16, **options)
    return file.getvalue()


def digits():
    data = gzip.decompress(MNIST.read_bytes())
    count = int.from_bytes(data[4:8], "little")
    labels = torch.tensor(list(data[8 : 8 + count]))
    pixels = torch.frombuffer(bytearray(data[8 + count :]), dtype=torch.uint8)
    x = pixels.reshape(count, 1, 28, 28).float() / 255
    return x[:8000], labels[:8000], x[8000:], labels[8000:]


def trained_digits():
    torch.manual_seed(1)
    x, labels, held_out, held_out_labels = digits()
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(784, 16), nn.GELU(), nn.Linear(16, 12), nn.GELU(), nn.Linear(12, 10)
    )
    adam = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(3):
        for batch in torch.randperm(len(x)).split(64):
            adam.zero_grad()
            nn.functional.cross_entropy(model(x[batch]), labels[batch]).backward()
            adam.step()
    with torch.no_grad():
        logits = model(held_out)
    loss = nn.functional.cross_entropy(logits, held_out_labels).item()
    accuracy = (logits.argmax(1) == held_out_labels).float().mean().item()
    whole = nn.Sequential(model, nn.Softmax(dim=1))
    batches = dict(input_names=["image"], dynamic_axes={"image": {0: "batch"}})
    (HERE / "digits.onnx").write_bytes(export(whole, held_out[:1], **batches))
    return {"loss": loss, "accuracy": accuracy}


class Products(nn.Module):
    """Weights as [inputs, outputs], a MatMul each; the second layer has no bias."""

    def __init__(self):
        super().__init__()
        self.first = nn.Parameter(torch.randn(2, 6))
        self.bias = nn.Parameter(torch.randn(6))
        self.second = nn.Parameter(torch.randn(6, 2))

    def forward(self, x):
        x = x.view(x.size(0), -1)
        return torch.tanh(self.bias + x @ self.first) @ self.second


def net(make, sizes=(2, 6, 5, 2)):
    layers = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        linear = nn.Linear(inputs, outputs)
        # wide enough that the ends of the activations are met
        nn.init.normal_(linear.weight, std=1.5)
        layers += [linear, make()]
    return nn.Sequential(*layers[:-1])


PERCEPTRONS = {
    "relu": (nn.ReLU, "relu"),
    "sigmoid": (nn.Sigmoid, "sigmoid"),
    "tanh": (nn.Tanh, "tanh"),
    "gelu": (nn.GELU, "gelu"),
    "silu": (nn.SiLU, "silu"),
    "leakyRelu": (nn.LeakyReLU, "leakyRelu"),
    "elu": (nn.ELU, "elu"),
    "selu": (nn.SELU, "selu"),
    "softplus": (nn.Softplus, "softplus"),
    "mish": (nn.Mish, "mish"),
    "hardswish": (nn.Hardswish, "hardswish"),
    "softsign": (nn.Softsign, "softsign"),
    "relu6": (nn.ReLU6, "relu6"),
}

REFUSED = {
    "conv": (nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(72, 10)), (1, 1, 8, 8), "Conv"),
    "norm": (
        nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.LayerNorm(6), nn.Linear(6, 2)),
        (3, 2),
        "ReduceMean",
    ),
    "mixed": (
        nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 2)),
        (3, 2),
        "relu after layer 1 and tanh after layer 2",
    ),
    "slope": (
        nn.Sequential(nn.Linear(2, 6), nn.LeakyReLU(0.3), nn.Linear(6, 2)),
        (3, 2),
        "LeakyRelu",
    ),
    "end": (nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.Linear(6, 2), nn.Sigmoid()), (3, 2), "Sigmoid"),
    "sizes": (nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 4)), (3, 3), "3 to 6 to 4"),
}


def perceptron(name, model, activation, x, **options):
    with torch.no_grad():
        y = model(x)
    file = base64.b64encode(export(model, x, **options)).decode()
    return {
        "name": name,
        "file": file,
        "activation": activation,
        "input": x.flatten().tolist(),
        "output": y.flatten().tolist(),
    }


def main():
    torch.manual_seed(0)
    x = torch.randn(5, 2) * 2
    cases = [
        perceptron(name, net(make), activation, x)
        for name, (make, activation) in PERCEPTRONS.items()
    ]
    free = dict(input_names=["x"], dynamic_axes={"x": {0: "batch"}})
    cases.append(perceptron("MatMul and Add", Products(), "tanh", x, **free))
    cases.append(perceptron("one layer", nn.Sequential(nn.Linear(2, 2)), None, x))
    cases.append(perceptron("float64", net(nn.Tanh).double(), "tanh", x.double()))
    refused = [
        {
            "name": name,
            "file": base64.b64encode(export(model, torch.randn(shape))).decode(),
            "words": words,
        }
        for name, (model, shape, words) in REFUSED.items()
    ]
    found = {"digits": trained_digits(), "perceptrons": cases, "refused": refused}
    (HERE / "cases.json").write_text(json.dumps(found, indent=1) + "\n")
    print(found["digits"])


main()
