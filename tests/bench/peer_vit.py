#!/usr/bin/env python3
"""The peer of sb-train: the same stream, parts and recipe in plain PyTorch.

usage: peer_vit.py STREAM [--epochs N --batch N --lr X --warmup N --decay X --seed N ...]

Reads `tensor`, `label` and `split` of a SeaBot stream with msgpack and msgpack_numpy, trains a ViT (timm's), keeps the
epoch with the best validation as sb-train does, and prints one JSON line: top-1 and macro-F1 on the part `test`.
"""
import argparse
import json
import math
import time

import msgpack
import msgpack_numpy
import numpy as np
import torch
from timm.models.vision_transformer import VisionTransformer


def options():
    p = argparse.ArgumentParser()
    p.add_argument("stream")
    p.add_argument("--patch", type=int, default=8)
    p.add_argument("--dim", type=int, default=192)
    p.add_argument("--depth", type=int, default=6)
    p.add_argument("--heads", type=int, default=3)
    p.add_argument("--epochs", type=int, default=60)
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--lr", type=float, default=5e-4)
    p.add_argument("--warmup", type=float, default=3)
    p.add_argument("--decay", type=float, default=0.05)
    p.add_argument("--clip", type=float, default=1)
    p.add_argument("--smooth", type=float, default=0)
    p.add_argument("--drop-path", type=float, default=0)
    p.add_argument("--flip", action="store_true")
    p.add_argument("--rotate", type=float, default=0)
    p.add_argument("--scale", type=float, default=0)
    p.add_argument("--shift", type=float, default=0)
    p.add_argument("--colour", type=float, default=0)
    p.add_argument("--keep", choices=["best", "last"], default="best")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--threads", type=int, default=0)
    return p.parse_args()


def load(path):
    parts = {"train": ([], []), "val": ([], []), "test": ([], [])}
    with open(path, "rb") as f:
        for record in msgpack.Unpacker(f, object_hook=msgpack_numpy.decode):
            if "tensor" in record and record.get("split") in parts:
                parts[record["split"]][0].append(record["tensor"])
                parts[record["split"]][1].append(record["label"])
    labels = sorted({label for part in parts.values() for label in part[1]})
    number = {label: i for i, label in enumerate(labels)}
    return {k: (torch.from_numpy(np.stack(x)), torch.tensor([number[y] for y in ys])) for k, (x, ys) in parts.items() if x}, labels


def augment(x, o, g):
    """As lib/learn/augment.c: rotation, zoom, shift and mirror about the centre, edge pixels repeated; contrast and brightness."""
    n = len(x)
    r = lambda: torch.rand(n, generator=g) * 2 - 1
    angle, zoom = r() * o.rotate * math.pi / 180, torch.exp(r() * math.log1p(o.scale))
    dx, dy = r() * o.shift * 2, r() * o.shift * 2
    across = torch.where(torch.rand(n, generator=g) < 0.5, -1.0, 1.0) if o.flip else torch.ones(n)
    c, s = torch.cos(angle) / zoom, torch.sin(angle) / zoom
    theta = torch.stack([torch.stack([across * c, across * s, -across * (c * dx + s * dy)], 1), torch.stack([-s, c, s * dx - c * dy], 1)], 1)
    grid = torch.nn.functional.affine_grid(theta, list(x.shape), align_corners=False)
    x = torch.nn.functional.grid_sample(x, grid, padding_mode="border", align_corners=False)
    if o.colour:
        x = (x - 128) * (1 + r() * o.colour).view(-1, 1, 1, 1) + 128 + (r() * o.colour * 127.5).view(-1, 1, 1, 1)
    return x.round().clamp(0, 255)


def normalise(x):
    return (x / 255 - 0.5) / 0.5


def macro_f1(truth, guess, classes):
    scores = []
    for k in range(classes):
        right = int(((truth == k) & (guess == k)).sum())
        total = int((truth == k).sum() + (guess == k).sum())
        if total:
            scores.append(2 * right / total)
    return sum(scores) / len(scores)


def main():
    o = options()
    if o.threads:
        torch.set_num_threads(o.threads)
    torch.manual_seed(o.seed)
    g = torch.Generator().manual_seed(o.seed)
    data, labels = load(o.stream)
    x, y = data["train"]
    model = VisionTransformer(img_size=x.shape[-1], patch_size=o.patch, embed_dim=o.dim, depth=o.depth, num_heads=o.heads,
                              num_classes=len(labels), drop_path_rate=o.drop_path, weight_init="")
    still = [p for n, p in model.named_parameters() if p.ndim < 2 or n in ("cls_token", "pos_embed")]
    matrices = [p for n, p in model.named_parameters() if not (p.ndim < 2 or n in ("cls_token", "pos_embed"))]
    optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": o.decay}, {"params": still, "weight_decay": 0.0}], lr=o.lr)
    loss_of = torch.nn.CrossEntropyLoss(label_smoothing=o.smooth)
    steps = math.ceil(len(x) / o.batch)
    warm, total = o.warmup * steps, o.epochs * steps

    def predict(part):
        model.eval()
        with torch.no_grad():
            return torch.cat([model(normalise(b.float())) for b in data[part][0].split(256)])

    best, kept, step, seconds = None, None, 0, 0.0
    for epoch in range(o.epochs):
        began = time.time()
        model.train()
        for index in torch.randperm(len(x), generator=g).split(o.batch):
            rate = o.lr * (step + 1) / (warm + 1) if step < warm else o.lr * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(total - warm, 1)))
            for group in optimizer.param_groups:
                group["lr"] = rate
            loss = loss_of(model(normalise(augment(x[index].float(), o, g))), y[index])
            optimizer.zero_grad()
            loss.backward()
            if o.clip:
                torch.nn.utils.clip_grad_norm_(model.parameters(), o.clip)
            optimizer.step()
            step += 1
        seconds += time.time() - began  # as sb-train: without validation
        if o.keep == "best" and "val" in data:
            logits = predict("val")
            truth = data["val"][1]
            score = (logits.argmax(1) == truth).float().mean().item() - 1e-6 * min(torch.nn.functional.cross_entropy(logits, truth).item(), 100)
            if best is None or score > best:
                best, kept = score, {k: v.clone() for k, v in model.state_dict().items()}
    if kept:
        model.load_state_dict(kept)
    guess, truth = predict("test").argmax(1), data["test"][1]
    print(json.dumps({"seed": o.seed, "top1": (guess == truth).float().mean().item(), "macro_f1": macro_f1(truth, guess, len(labels)),
                      "records": len(truth), "weights": sum(p.numel() for p in model.parameters()), "images_per_second": round(o.epochs * len(x) / seconds, 1)}))


if __name__ == "__main__":
    main()
