#!/usr/bin/env python3
"""Writes resnet-*.safetensors: tiny ResNets of torchvision's blocks and of the CIFAR form, their input, logits and embedding
in inference, every gradient, the running statistics after one step of AdamW training, ten losses, and the logits after them.

    pip install torch torchvision safetensors; ./resnet.py

All is computed in float64 and stored as float32. tests/test_resnet.c replays it.
"""
import os
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

torch.set_default_dtype(torch.float64)
HERE = os.path.dirname(os.path.abspath(__file__))
LABELS = torch.tensor([3, 0, 4, 1])
LR, DECAY, CLIP = 3e-3, 0.05, 1.0


class Narrow(ResNet):
    """torchvision's, but for the channels of its stem and stages."""

    def __init__(self, block, stages, width, classes):
        nn.Module.__init__(self)
        self._norm_layer, self.inplanes, self.dilation, self.groups, self.base_width = nn.BatchNorm2d, width, 1, 1, 64
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = self._make_layer(block, width, stages[0])
        self.layer2 = self._make_layer(block, 2 * width, stages[1], stride=2)
        self.layer3 = self._make_layer(block, 4 * width, stages[2], stride=2)
        self.layer4 = self._make_layer(block, 8 * width, stages[3], stride=2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(8 * width * block.expansion, classes)


class CifarBlock(nn.Module):
    def __init__(self, before, width, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(before, width, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.shrinks, self.pad = stride > 1, (width - before) // 2

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.pad, self.pad)) if self.shrinks else x))


class Cifar(nn.Module):
    """The paper's form for CIFAR (He et al. 2016, section 4.2), shortcut A; names as in akamaster's pytorch_resnet_cifar10."""

    def __init__(self, stages, width, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        before = width
        for s, blocks in enumerate(stages):
            layer = [CifarBlock(before if i == 0 else width << s, width << s, 2 if s and i == 0 else 1) for i in range(blocks)]
            setattr(self, f"layer{s + 1}", nn.Sequential(*layer))
            before = width << s
        self.linear = nn.Linear(before, classes)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(F.relu(self.bn1(self.conv1(x))))))
        return self.linear(x.mean((2, 3)))


VARIANTS = {  # model, size, seed
    "basic": (lambda: Narrow(BasicBlock, [2, 1, 1, 1], 2, 5), 33, 5),
    "bottleneck": (lambda: Narrow(Bottleneck, [1, 2, 1, 1], 2, 5), 33, 15),
    "cifar": (lambda: Cifar([2, 1, 1], 4, 5), 9, 5),
}


def f32(t):
    return t.detach().to(torch.float32).clone().contiguous()


def randomise(model):
    """Nothing is zero or one, so that every term is seen; what is stored as f32 is what is computed with."""
    for name, t in model.state_dict().items():
        noise = torch.randn(t.shape)
        if name.endswith("num_batches_tracked"):
            continue
        if t.ndim == 4:
            value = noise * (2 / t[0].numel()) ** 0.5
        elif t.ndim == 2:
            value = noise * 0.1
        else:
            around = 1.0 if name.endswith("running_var") or (name.endswith(".weight") and t.ndim == 1) else 0.0
            value = around + 0.15 * noise
        t.copy_(value.float().double())


def statistics(model):
    return {n: t for n, t in model.state_dict().items() if "running_" in n}


def embedding(model, x):
    seen = []
    head = model.fc if hasattr(model, "fc") else model.linear
    hook = head.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    model(x)
    hook.remove()
    return seen[0]


def is_one_step_from_nothing(name, gradient):
    """A bias that only a batchnorm sees has no gradient but rounding, of which Adam makes a whole step: another seed, then."""
    size = gradient.abs()
    assert not ((size > 0) & (size < 1e-12)).any(), f"{name}: a gradient of {size[size > 0].min():.1e}"


def main():
    for variant, (make, size, seed) in VARIANTS.items():
        torch.manual_seed(seed)
        model = make()
        randomise(model)
        pictures = torch.randint(0, 256, (4, 3, size, size), dtype=torch.uint8)
        x = (pictures.double() / 255 - 0.5) / 0.5
        out = {"pictures": pictures, "labels": LABELS.to(torch.int32)}
        out.update({"weight." + n: f32(t) for n, t in model.state_dict().items() if not n.endswith("num_batches_tracked")})
        model.eval()
        out["logits"], out["embedding"] = f32(model(x)), f32(embedding(model, x))
        model.train()
        named = list(model.named_parameters())
        groups = [{"params": [p for _, p in named if (p.ndim >= 2) == d], "weight_decay": DECAY * d} for d in (False, True)]
        optimizer = torch.optim.AdamW(groups, lr=LR, betas=(0.9, 0.999), eps=1e-8)
        losses = []
        for step in range(10):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), LABELS)
            loss.backward()
            for n, p in named:
                is_one_step_from_nothing(n, p.grad)
            if step == 0:
                out.update({"grad." + n: f32(p.grad) for n, p in named})
                out.update({"after." + n: f32(t) for n, t in statistics(model).items()})
            nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            optimizer.step()
            losses.append(loss.detach())
        out["losses"] = f32(torch.stack(losses))
        model.eval()
        out["trained_logits"] = f32(model(x))
        save_file(out, os.path.join(HERE, f"resnet-{variant}.safetensors"))
        print(variant, [f"{float(x):.4f}" for x in losses], out["logits"].abs().max(), out["trained_logits"].abs().max())


if __name__ == "__main__":
    main()
