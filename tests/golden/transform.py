#!/usr/bin/env python3
"""Writes transform.txt and preprocess/: what timm's and transformers' evaluation transforms make of noise, and the JSON
files that say how. tests/test_preprocess.c replays it.

    pip install torch timm transformers; ./transform.py

A line of transform.txt: width height size crop mode filter seed hash, by timm.data.create_transform.
A line of preprocess/expected.txt: file width height seed hash mean std, by timm's transform or transformers' processor
(that which resizes with Pillow) made from that very file. Hashes are of the bytes [3,S,S] before normalising. Needs
Pillow 13 or later: older ones always shorten rows first.
"""
import json
import random
from pathlib import Path

import numpy as np
import timm
import transformers
from PIL import Image
from timm.data import create_transform, resolve_data_config
from timm.models._hub import _parse_model_cfg, save_config_for_hf

from noise import fnv, noise

HERE = Path(__file__).parent
JSON = HERE / "preprocess"
CROPS, MODES, FILTERS = [0.875, 0.9, 0.95, 1.0], ["center", "squash"], ["bicubic", "bilinear"]
SHAPES = [(45, 31), (31, 45), (64, 64), (133, 77), (19, 101), (240, 135)]


def picture(width, height, seed):
    return Image.fromarray(np.frombuffer(noise(seed, width * height * 3), np.uint8).reshape(height, width, 3))


def timms(config, im):
    out = create_transform(**config, is_training=False, use_prefetcher=True)(im)
    assert out.dtype.is_floating_point is False
    return bytes(out.numpy().tobytes())


def table():
    r, seed = random.Random(3), 0
    for crop in CROPS:
        for mode in MODES:
            for name in FILTERS:
                for width, height in SHAPES[:3] + [tuple(int(2 ** r.uniform(3, 8)) for _ in range(2)) for _ in range(5)]:
                    size = r.choice([16, 17, 28, 32, 45, 48, 64, 71])
                    config = dict(input_size=(3, size, size), interpolation=name, crop_pct=crop, crop_mode=mode)
                    out = timms(config, picture(width, height, seed))
                    yield f"{width} {height} {size} {crop} {mode} {name} {seed} {fnv(out):016x}"
                    seed += 1
    for crop in CROPS:
        for width, height in SHAPES + [(40, 500), (224, 223)]:
            size, name = r.choice([16, 17, 28, 32, 45, 48, 64, 71]), FILTERS[seed % 2]
            config = dict(input_size=(3, size, size), interpolation=name, crop_pct=crop, crop_mode="border")
            out = timms(config, picture(width, height, seed))
            yield f"{width} {height} {size} {crop} border {name} {seed} {fnv(out):016x}"
            seed += 1


def write(name, config):
    (JSON / name).write_text(json.dumps(config, indent=2) + "\n")


def timm_files():
    """As timm writes it today, and as it was: flat."""
    cases = {
        "timm-vit.json": dict(img_size=48),
        "timm-squash.json": dict(img_size=32, pretrained_cfg_overlay=dict(crop_mode="squash", crop_pct=1.0, interpolation="bilinear")),
        "timm-border.json": dict(img_size=40, pretrained_cfg_overlay=dict(crop_mode="border", crop_pct=0.9)),
        "timm-squash-crop.json": dict(img_size=32, pretrained_cfg_overlay=dict(crop_mode="squash", crop_pct=0.95)),
    }
    for name, options in cases.items():
        model = timm.create_model("vit_tiny_patch16_224", num_classes=3, depth=1, **options)
        labels = dict(label_names=["cod", "eel", "ray"], label_descriptions={"cod": "Atlantic cod", "ray": "thornback ray"})
        save_config_for_hf(model, JSON / name, labels if name == "timm-vit.json" else {})
    flat = timm.create_model("vit_tiny_patch16_224").pretrained_cfg
    keys = ["input_size", "interpolation", "crop_pct", "mean", "std", "num_classes", "pool_size", "first_conv", "classifier"]
    write("timm-flat.json", {"architecture": "vit_tiny_patch16_224", "labels": ["urchin", "crab"], **{k: flat[k] for k in keys},
                             "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "input_size": [3, 40, 40], "num_classes": 2})


def transformers_files():
    """As transformers writes them today, and as its feature extractors did."""
    today = {
        "vit.json": transformers.ViTImageProcessor(size={"height": 48, "width": 48}),
        "vit-plain.json": transformers.ViTImageProcessor(size={"height": 32, "width": 32}, do_normalize=False, resample=3),
        "deit.json": transformers.DeiTImageProcessor(size={"height": 52, "width": 52}, crop_size={"height": 45, "width": 45}),
        "dinov2.json": transformers.BitImageProcessor(size={"shortest_edge": 64}, crop_size={"height": 55, "width": 55},
                                                      image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225]),
        "clip.json": transformers.CLIPImageProcessor(size={"shortest_edge": 45}, crop_size={"height": 45, "width": 45}),
        "convnext.json": transformers.ConvNextImageProcessor(size={"shortest_edge": 49}),
        "convnext-384.json": transformers.ConvNextImageProcessor(size={"shortest_edge": 384}, resample=2),
    }
    for name, processor in today.items():
        (JSON / name).write_text(processor.to_json_string())
    common = {"do_normalize": True, "do_resize": True, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
    write("vit-old.json", {**common, "feature_extractor_type": "ViTFeatureExtractor", "resample": 2, "size": 36})
    write("deit-old.json", {**common, "crop_size": 28, "do_center_crop": True, "feature_extractor_type": "DeiTFeatureExtractor",
                            "resample": 3, "size": 32})
    write("clip-old.json", {**common, "crop_size": 33, "do_center_crop": True, "feature_extractor_type": "CLIPFeatureExtractor",
                            "resample": 3, "size": 40})
    write("resnet-old.json", {**common, "crop_pct": 0.875, "feature_extractor_type": "ConvNextFeatureExtractor", "resample": 3, "size": 56})


def processor_of(config):
    kind = (config.get("image_processor_type") or config["feature_extractor_type"]).replace("FeatureExtractor", "ImageProcessor")
    return getattr(transformers, kind + "Pil").from_dict(config)


def expected(name, im):
    config = json.loads((JSON / name).read_text())
    if name.startswith("timm"):
        resolved = resolve_data_config(pretrained_cfg=_parse_model_cfg(config, {})[0])
        return timms(resolved, im), resolved["mean"], resolved["std"]
    processor = processor_of(config)
    out = processor(im, do_normalize=False, do_rescale=False, return_tensors="np")["pixel_values"][0]
    if not processor.do_normalize:
        return out.astype(np.uint8).tobytes(), [0, 0, 0], [1, 1, 1]
    return out.astype(np.uint8).tobytes(), processor.image_mean, processor.image_std


def main():
    JSON.mkdir(exist_ok=True)
    (HERE / "transform.txt").write_text("\n".join(table()) + "\n")
    timm_files()
    transformers_files()
    lines = []
    for name in sorted(p.name for p in JSON.glob("*.json")):
        for seed, (width, height) in enumerate(SHAPES):
            out, mean, std = expected(name, picture(width, height, seed))
            numbers = [",".join(str(x) for x in v) for v in (mean, std)]
            lines.append(f"{name} {width} {height} {seed} {fnv(out):016x} {' '.join(numbers)}")
    (JSON / "expected.txt").write_text("\n".join(lines) + "\n")


main()
