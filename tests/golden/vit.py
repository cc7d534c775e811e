#!/usr/bin/env python3
"""Writes vit-*.safetensors: tiny models of timm, their input, logits, every gradient and ten losses of AdamW training.

    pip install torch timm safetensors; ./vit.py

All is computed in float64 and stored as float32. tests/test_model.c replays it.
"""
import os
import torch
from safetensors.torch import save_file
from timm.models.vision_transformer import VisionTransformer

torch.set_default_dtype(torch.float64)
HERE = os.path.dirname(os.path.abspath(__file__))
LABELS = torch.tensor([3, 0, 4, 1])
SMOOTH, LR, DECAY, CLIP = 0.1, 3e-3, 0.05, 1.0
CLASS_WEIGHT = torch.tensor([1.0, 2.0, 0.5, 1.5, 0.75])

VARIANTS = {
    "class": dict(embed_dim=18, depth=2, num_heads=3),
    "registers": dict(embed_dim=16, depth=1, num_heads=2, reg_tokens=2, no_embed_class=True, init_values=0.1),
    "mean": dict(embed_dim=20, depth=1, num_heads=5, class_token=False, global_pool="avg", fc_norm=False),
    "fc-norm": dict(embed_dim=16, depth=1, num_heads=2, global_pool="avg"),
}


def decays(name, p):
    return p.ndim >= 2 and name not in ("cls_token", "reg_token", "pos_embed")


def f32(t):
    return t.detach().to(torch.float32).contiguous()


def randomise(model):
    """Nothing is zero or one, so that every term is seen; what is stored as f32 is what is computed with."""
    for name, p in model.named_parameters():
        around = 1.0 if "norm" in name and name.endswith("weight") else 0.0
        p.data = (around + 0.15 * torch.randn_like(p)).float().double()


def main():
    for variant, shape in VARIANTS.items():
        torch.manual_seed(len(variant))
        model = VisionTransformer(img_size=16, patch_size=4, num_classes=5, weight_init="skip", **shape)
        randomise(model)
        pictures = torch.randint(0, 256, (4, 3, 16, 16), dtype=torch.uint8)
        x = (pictures.double() / 255 - 0.5) / 0.5
        out = {"pictures": pictures, "labels": LABELS.to(torch.int32), "class_weight": f32(CLASS_WEIGHT)}
        out.update({"weight." + n: f32(p) for n, p in model.named_parameters()})

        loss_of = torch.nn.CrossEntropyLoss(weight=CLASS_WEIGHT, label_smoothing=SMOOTH)
        logits = model(x)
        out["logits"] = f32(logits)
        out["probability"] = f32(logits.softmax(-1))
        out["embedding"] = f32(model.forward_head(model.forward_features(x), pre_logits=True))
        out["plain_loss"] = f32(torch.nn.functional.cross_entropy(logits, LABELS).reshape(1))
        loss_of(logits, LABELS).backward()
        out.update({"grad." + n: f32(p.grad).clone() for n, p in model.named_parameters()})

        groups = [{"params": [p for n, p in model.named_parameters() if decays(n, p) == d], "weight_decay": DECAY * d} for d in (0, 1)]
        optimizer = torch.optim.AdamW(groups, lr=LR, betas=(0.9, 0.999), eps=1e-8)
        losses = []
        for _ in range(10):
            optimizer.zero_grad()
            loss = loss_of(model(x), LABELS)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            optimizer.step()
            losses.append(loss.detach())
        out["losses"] = f32(torch.stack(losses))
        save_file(out, os.path.join(HERE, f"vit-{variant}.safetensors"))
        print(variant, [f"{float(x):.4f}" for x in losses])


main()
