#!/usr/bin/env python3
"""Writes names/: tiny models as timm, transformers and Meta's DINOv2 save them, each in a folder of its own with the config.json
that stands beside it, and expected.safetensors: pictures, and each model's logits and embedding of them.

    pip install torch timm transformers safetensors; ./names.py

All is computed in float64 and stored as float32. tests/test_names.c opens and replays them.
"""
import json
import os
import shutil
import torch
import transformers as tf
from safetensors.torch import save_file
from timm.models.vision_transformer import VisionTransformer

torch.set_default_dtype(torch.float64)
HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "names")
SIZE, PATCH, DIM, HEADS, HIDDEN, CLASSES = 12, 4, 16, 2, 32, 3
PICTURES = torch.randint(0, 256, (2, 3, SIZE, SIZE), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
X = (PICTURES.double() / 255 - 0.5) / 0.5
EXPECTED = {"pictures": PICTURES}


def randomise(model, dtype=torch.float32):
    """Nothing is zero or one; tokens are so small that the epsilon of a norm is seen. What is stored is what is computed with."""
    for name, p in model.named_parameters():
        last = name.endswith(("layernorm.weight", "fc_norm.weight")) or name == "norm.weight"
        around = 0.5 if last or "lambda" in name or "gamma" in name else 1.0 if "norm" in name and name.endswith("weight") else 0.0
        small = 0.01 if "embed" in name or "token" in name else 1.0
        p.data = (around + 0.15 * small * torch.randn_like(p)).to(dtype).double()


def write(name, tensors, config, dtype=torch.float32):
    folder = os.path.join(HERE, name)
    os.makedirs(folder)
    metadata = {"format": "pt"} if "model_type" in (config or {}) else None
    save_file({n: t.detach().to(dtype).contiguous() for n, t in tensors.items()}, os.path.join(folder, "model.safetensors"), metadata)
    if config:
        with open(os.path.join(folder, "config.json"), "w") as f:
            json.dump(config, f, indent=1, sort_keys=True)
            f.write("\n")


def expect(name, embedding, logits=None):
    EXPECTED[name + ".embedding"] = embedding.detach().float().contiguous()
    if logits is not None:
        EXPECTED[name + ".logits"] = logits.detach().float().contiguous()


def timm_model(**options):
    torch.manual_seed(30 + len(options))
    shape = dict(img_size=SIZE, patch_size=PATCH, embed_dim=DIM, depth=1, num_heads=HEADS, mlp_ratio=HIDDEN / DIM, num_classes=CLASSES)
    model = VisionTransformer(weight_init="skip", **{**shape, **options})
    randomise(model)
    return model.eval()


def timm_expect(name, model):
    embedding = model.forward_head(model.forward_features(X), pre_logits=True)
    expect(name, embedding, model(X) if model.num_classes else None)


def timm_case(name, pool="token", prefix="", **options):
    model = timm_model(global_pool=pool, **options)
    config = {"architecture": "vit_tiny", "num_classes": model.num_classes, "num_features": DIM, "global_pool": pool,
              "model_args": {"img_size": SIZE, "num_heads": HEADS}}
    write(name, {prefix + n: p for n, p in model.named_parameters()}, config)
    timm_expect(name, model)


def meta_case(name):
    """Meta's DINOv2 with registers, its blocks in chunks: positions, the class token's too, come before the registers."""
    model = timm_model(depth=2, reg_tokens=2, no_embed_class=True, init_values=0.5, num_classes=0)
    state = {n: p.data.clone() for n, p in model.named_parameters()}
    first = (0.002 * torch.randn(1, 1, DIM)).float().double()
    state["cls_token"] = (state["cls_token"] - first).float().double()
    model.cls_token.data = state["cls_token"] + first
    state["pos_embed"] = torch.cat([first, state["pos_embed"]], 1)
    state["register_tokens"] = state.pop("reg_token")
    state["mask_token"] = torch.zeros(1, DIM)
    renamed = {n.replace("blocks.0.", "blocks.0.0.").replace("blocks.1.", "blocks.1.1."): t for n, t in state.items()}
    write(name, renamed, {"num_heads": HEADS})
    timm_expect(name, model)


def transformers_case(name, model, dtype=torch.float32):
    randomise(model, dtype)
    model.eval().config._attn_implementation = "eager"
    folder = os.path.join(HERE, name)
    model.to(dtype).save_pretrained(folder)  # with the names that it saves with, which are not those in memory
    for file in os.listdir(folder):
        if file not in ("model.safetensors", "config.json"):
            os.remove(os.path.join(folder, file))
    return model.double()


SHAPE = dict(hidden_size=DIM, num_hidden_layers=1, num_attention_heads=HEADS, image_size=SIZE, patch_size=PATCH)


def vit_cases():
    torch.manual_seed(20)
    config = tf.ViTConfig(intermediate_size=HIDDEN, num_labels=CLASSES, id2label={0: "crab", 1: "fish", 2: "kelp"}, **SHAPE)
    model = transformers_case("transformers-vit", tf.ViTModel(config))
    expect("transformers-vit", model(X).last_hidden_state[:, 0])
    model = transformers_case("transformers-vit-head", tf.ViTForImageClassification(config), torch.bfloat16)
    expect("transformers-vit-head", model.vit(X).last_hidden_state[:, 0], model(X).logits)


def dinov2_cases():
    torch.manual_seed(21)
    shape = dict(mlp_ratio=HIDDEN // DIM, **SHAPE)
    model = transformers_case("transformers-dinov2", tf.Dinov2Model(tf.Dinov2Config(**shape)))
    expect("transformers-dinov2", model(X).last_hidden_state[:, 0])
    config = tf.Dinov2WithRegistersConfig(num_register_tokens=2, **shape)
    model = transformers_case("transformers-registers", tf.Dinov2WithRegistersModel(config))
    expect("transformers-registers", model(X).last_hidden_state[:, 0])
    model = transformers_case("transformers-dinov2-head", tf.Dinov2ForImageClassification(tf.Dinov2Config(num_labels=CLASSES, **shape)))
    expect("transformers-dinov2-head", model.dinov2(X).last_hidden_state[:, 0])


def main():
    shutil.rmtree(HERE, ignore_errors=True)
    timm_case("timm", num_classes=CLASSES)
    timm_case("timm-mean", pool="avg", class_token=False, fc_norm=False, prefix="module.")
    timm_case("timm-fc-norm", pool="avg", prefix="model.")
    timm_case("timm-no-embed-class", no_embed_class=True, prefix="module.backbone.")
    timm_case("timm-dinov2", init_values=0.5, num_classes=0)
    timm_case("timm-registers", init_values=0.5, reg_tokens=2, no_embed_class=True)
    timm_case("timm-registers-embedded", reg_tokens=2)
    meta_case("meta-dinov2")
    vit_cases()
    dinov2_cases()
    save_file(EXPECTED, os.path.join(HERE, "expected.safetensors"))


main()
