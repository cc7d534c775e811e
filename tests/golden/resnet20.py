#!/usr/bin/env python3
"""The trained CIFAR ResNet-20 of akamaster's pytorch_resnet_cifar10 as safetensors, and what PyTorch makes of it:
resnet20.py resnet20-12fca82f.th MODEL INPUT

    pip install torch safetensors

MODEL: the pickle's tensors under the names that they have there. INPUT: `pictures`, eight seeded ones, f32 and normalised,
and their `logits`, computed in float64. Prints the logits. tests/resnet.bats compares them with SeaBot's.
"""
import sys
import torch
from safetensors.torch import save_file
from resnet import Cifar

torch.set_default_dtype(torch.float64)


def main(pickle, model_path, input_path):
    weights = torch.load(pickle, map_location="cpu", weights_only=True)["state_dict"]
    save_file({name: t.contiguous() for name, t in weights.items()}, model_path)
    model = Cifar([3, 3, 3], 16, 10)
    model.load_state_dict({name.removeprefix("module."): t.double() if t.is_floating_point() else t for name, t in weights.items()})
    model.eval()
    pictures = torch.randn(8, 3, 32, 32, generator=torch.Generator().manual_seed(20)).float()
    with torch.inference_mode():
        logits = model(pictures.double())
    save_file({"pictures": pictures, "logits": logits.float()}, input_path)
    for row in logits:
        print(" ".join(f"{value:.6f}" for value in row))


main(*sys.argv[1:])
