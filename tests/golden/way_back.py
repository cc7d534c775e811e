#!/usr/bin/env python3
"""Loads into timm what sb-train wrote, NAME.safetensors, and compares with what sb-classify told of it, NAME.sb: embeddings, and
log-probabilities, which are the logits but for a constant, within 1e-5. tests/python.bats makes the files and runs it.

    pip install timm msgpack msgpack_numpy
"""
import json
import msgpack
import msgpack_numpy
import numpy as np
import timm
import torch
from safetensors import safe_open

TINY = dict(img_size=12, patch_size=4, embed_dim=16, depth=2, num_heads=2, mlp_ratio=2)
REGISTERS = dict(reg_tokens=2, no_embed_class=True, init_values=0.1)
MODELS = {
    "class": ("vit_tiny_patch16_224", TINY),
    "mean": ("vit_tiny_patch16_224", {**TINY, "class_token": False, "global_pool": "avg", "fc_norm": False}),
    "registers": ("vit_tiny_patch16_224", {**TINY, **REGISTERS, "depth": 1}),
    "meta": ("vit_tiny_patch16_224", {**TINY, **REGISTERS}),
    "fc-norm": ("vit_tiny_patch16_224", {**TINY, "depth": 1, "global_pool": "avg"}),
    "resnet": ("resnet18", {}),
}

for name, (architecture, options) in MODELS.items():
    with safe_open(name + ".safetensors", "pt") as f:
        metadata = f.metadata()
    labels, history = json.loads(metadata["labels"]), json.loads(metadata["history"])
    assert history[-1]["tool"] == "sb-train" and json.loads(metadata["preprocess"])["size"] in (12, 32)
    assert ("parent" in metadata) == (name in ("registers", "meta", "fc-norm"))
    model = timm.create_model(architecture, num_classes=len(labels), checkpoint_path=name + ".safetensors", **options).eval()
    records = list(msgpack.Unpacker(open(name + ".sb", "rb"), object_hook=msgpack_numpy.decode))[1:-1]
    assert len(records) > 10
    pictures = torch.from_numpy(np.stack([r["tensor"] for r in records]))
    with torch.no_grad():
        embedding = model.forward_head(model.forward_features((pictures / 255 - 0.5) / 0.5), pre_logits=True)
        told = model.get_classifier()(embedding).log_softmax(-1).numpy()
    ours = np.log([[dict(map(tuple, r["predicted"]))[label] for label in labels] for r in records])
    apart = abs(embedding.numpy() - np.stack([r["embedding"] for r in records])).max(), abs(told - ours).max()
    print(f"{name}: {len(records)} pictures, embeddings at most {apart[0]:.1g} apart, log-probabilities {apart[1]:.1g}")
    assert max(apart) < 1e-5, name
