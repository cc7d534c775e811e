"""The models that SeaBot is timed beside, in plain PyTorch: the same layers and as many weights."""
import torch
from torch import nn
from torch.nn import functional as F

SIZES = {"B": (768, 12, 12), "L": (1024, 24, 16), "H": (1280, 32, 16)}


class Block(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(dim, eps=1e-6), nn.LayerNorm(dim, eps=1e-6)
        self.qkv, self.proj = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.fc1, self.fc2 = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)

    def forward(self, x):
        b, t, d = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        x = x + self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, t, d))
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class ViT(nn.Module):
    """Dosovitskiy et al. 2021, as timm has it: a class token, learned positions, erf GELU, the norm before."""

    def __init__(self, dim, depth, heads, patch, size, classes=1000):
        super().__init__()
        self.patch = nn.Conv2d(3, dim, patch, patch)
        self.token = nn.Parameter(torch.zeros(1, 1, dim))
        self.positions = nn.Parameter(torch.randn(1, 1 + (size // patch) ** 2, dim) * 0.02)
        self.blocks = nn.ModuleList(Block(dim, heads) for _ in range(depth))
        self.norm, self.head = nn.LayerNorm(dim, eps=1e-6), nn.Linear(dim, classes)

    def forward(self, pictures):
        x = self.patch(pictures).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.positions
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x[:, 0]))


class Bottleneck(nn.Module):
    def __init__(self, channels, width, stride):
        super().__init__()
        conv = lambda i, o, k, s=1: nn.Conv2d(i, o, k, s, k // 2, bias=False)
        self.conv1, self.norm1 = conv(channels, width, 1), nn.BatchNorm2d(width)
        self.conv2, self.norm2 = conv(width, width, 3, stride), nn.BatchNorm2d(width)
        self.conv3, self.norm3 = conv(width, 4 * width, 1), nn.BatchNorm2d(4 * width)
        shrinks = stride > 1 or channels != 4 * width
        self.down = nn.Sequential(conv(channels, 4 * width, 1, stride), nn.BatchNorm2d(4 * width)) if shrinks else nn.Identity()

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)))
        y = F.relu(self.norm2(self.conv2(y)))
        return F.relu(self.norm3(self.conv3(y)) + self.down(x))


class ResNet50(nn.Module):
    """He et al. 2016, with the stride in a bottleneck's 3x3, as torchvision has it."""

    def __init__(self, classes=1000):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64)
        blocks, channels = [], 64
        for stage, count in enumerate((3, 4, 6, 3)):
            for i in range(count):
                blocks.append(Bottleneck(channels, 64 << stage, 2 if stage and not i else 1))
                channels = 256 << stage
        self.blocks, self.fc = nn.Sequential(*blocks), nn.Linear(channels, classes)

    def forward(self, pictures):
        x = F.max_pool2d(F.relu(self.norm(self.conv(pictures))), 3, 2, 1)
        return self.fc(self.blocks(x).mean((2, 3)))


def build(name, size):
    """name as bench_vit has it: B/16, H/14, resnet50 or dim=64,depth=2,heads=2,patch=8."""
    if name == "resnet50":
        return ResNet50()
    if "=" in name:
        c = {k: int(v) for k, v in (pair.split("=") for pair in name.split(","))}
        return ViT(c["dim"], c["depth"], c["heads"], c["patch"], size)
    letter, patch = name.split("/")
    return ViT(*SIZES[letter], int(patch), size)
