#!/usr/bin/env python3
"""Writes train-*.safetensors: what training beyond plain labels gives for the tiny ViT of vit-class.safetensors.

    pip install torch timm safetensors; ./train.py

mix      mixup and CutMix in one batch, distributions as targets, class weights, label smoothing: gradient, ten losses
labels   several labels a picture, binary cross-entropy: logits, gradient, ten losses
average  layer-wise rates (timm's groups) and a moving average (timm's ModelEmaV2): ten losses, the average after them
All is computed in float64 and stored as float32. tests/test_net.c replays it.
"""
import os
import torch
from safetensors.torch import load_file, save_file
from timm.models.vision_transformer import VisionTransformer
from timm.optim import param_groups_layer_decay
from timm.utils import ModelEmaV2

torch.set_default_dtype(torch.float64)
HERE = os.path.dirname(os.path.abspath(__file__))
LR, DECAY, CLIP, SMOOTH, LAYER_DECAY, AVERAGE = 3e-3, 0.05, 1.0, 0.1, 0.6, 0.8
GIVEN = load_file(os.path.join(HERE, "vit-class.safetensors"))
LABELS = GIVEN["labels"].long()
PICTURES = (GIVEN["pictures"].double() / 255 - 0.5) / 0.5
WEIGHT = GIVEN["class_weight"].double()


def new_model():
    model = VisionTransformer(img_size=16, patch_size=4, num_classes=5, weight_init="skip", embed_dim=18, depth=2, num_heads=3)
    model.load_state_dict({n[len("weight."):]: t.double() for n, t in GIVEN.items() if n.startswith("weight.")})
    return model


def f32(t):
    return t.detach().to(torch.float32).contiguous()


def save(name, out):
    save_file(out, os.path.join(HERE, f"train-{name}.safetensors"))
    print(name, [f"{float(x):.4f}" for x in out["losses"]])


def gradient(loss, model):
    model.zero_grad()
    loss.backward()
    return {"grad." + n: f32(p.grad).clone() for n, p in model.named_parameters()}


def ten_steps(model, loss_of, layer_decay=1.0, average=None):
    groups = param_groups_layer_decay(model, DECAY, no_weight_decay_list=model.no_weight_decay(), layer_decay=layer_decay)
    for g in groups:
        g["lr"] = LR * g["lr_scale"]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.999), eps=1e-8)
    losses = []
    for _ in range(10):
        optimizer.zero_grad()
        loss = loss_of(model)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        if average:
            average.update(model)
        losses.append(loss.detach())
    return f32(torch.stack(losses))


def mix():
    """Pictures 0 and 2 by mixup, 1 and 3 by CutMix, one box reaching over the edge."""
    partner, weight = [2, 3, 1, 0], torch.tensor([0.7, 1.0, 0.25, 1.0])
    box = [[0, 0, 0, 0], [3, 2, 9, 12], [0, 0, 0, 0], [10, 0, 16, 5]]
    x, target = PICTURES.clone(), torch.zeros(4, 5)
    for i, (p, w, (x0, y0, x1, y1)) in enumerate(zip(partner, weight, box)):
        x[i] = w * PICTURES[i] + (1 - w) * PICTURES[p]
        x[i, :, y0:y1, x0:x1] = PICTURES[p, :, y0:y1, x0:x1]
        own = w * (1 - (x1 - x0) * (y1 - y0) / 256)
        target[i, LABELS[i]] += own
        target[i, LABELS[p]] += 1 - own
    target = target.float().double()
    criterion = torch.nn.CrossEntropyLoss(weight=WEIGHT, label_smoothing=SMOOTH)
    loss_of = lambda model: criterion(model(x), target)
    model = new_model()
    out = {"partner": torch.tensor(partner, dtype=torch.int32), "mix_weight": f32(weight),
           "box": torch.tensor(box, dtype=torch.int32), "target": f32(target)}
    out.update(gradient(loss_of(model), model))
    out["losses"] = ten_steps(model, loss_of)
    save("mix", out)


def labels():
    target = torch.tensor([[1, 0, 0, 1, 0], [0, 0, 0, 0, 0], [0, 1, 1, 1, 0], [0, 0, 0, 0, 1]], dtype=torch.float64)
    criterion = torch.nn.BCEWithLogitsLoss(pos_weight=WEIGHT)
    loss_of = lambda model: criterion(model(PICTURES), target)
    model = new_model()
    logits = model(PICTURES)
    out = {"target": f32(target), "logits": f32(logits), "probability": f32(logits.sigmoid()),
           "plain_loss": f32(torch.nn.functional.binary_cross_entropy_with_logits(logits, target).reshape(1))}
    out.update(gradient(loss_of(model), model))
    out["losses"] = ten_steps(model, loss_of)
    save("labels", out)


def average():
    model = new_model()
    averaged = ModelEmaV2(model, decay=AVERAGE)
    criterion = torch.nn.CrossEntropyLoss()
    out = {"losses": ten_steps(model, lambda m: criterion(m(PICTURES), LABELS), LAYER_DECAY, averaged)}
    out.update({"average." + n: f32(p) for n, p in averaged.module.named_parameters()})
    out["logits"], out["averaged_logits"] = f32(model(PICTURES)), f32(averaged.module.eval()(PICTURES))
    save("average", out)


mix()
labels()
average()
