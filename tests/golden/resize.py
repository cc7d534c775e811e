#!/usr/bin/env python3
"""Writes resize.txt: what Pillow's resize makes of noise. tests/test_media.c replays it.

A line: width height new_width new_height filter seed hash [pixels]
The noise and the hash, which is of the result's bytes, are noise.py's; the bytes stand there in hex where they are few.
Needs Pillow 13 or later: older ones always shorten rows first.
"""
import random
from pathlib import Path

import numpy as np
import PIL
from PIL import Image

from noise import fnv, noise

FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


def cases():
    r = random.Random(20261123)
    for _ in range(8):
        yield tuple(r.randint(1, 5) for _ in range(4))
    yield from [(64, 48, 64, 20), (64, 48, 20, 48), (64, 48, 64, 48), (1, 90, 7, 3), (90, 1, 3, 7), (300, 9, 5, 4), (9, 300, 12, 4)]
    for _ in range(145):
        yield tuple(int(2 ** r.uniform(0, 7.2)) for _ in range(4))


def main():
    assert int(PIL.__version__.split(".")[0]) >= 13, PIL.__version__
    lines = []
    for seed, (w, h, new_w, new_h) in enumerate(cases()):
        name = sorted(FILTERS)[seed % 2]
        pixels = np.frombuffer(noise(seed, w * h * 3), np.uint8).reshape(h, w, 3)
        out = Image.fromarray(pixels).resize((new_w, new_h), FILTERS[name]).tobytes()
        lines.append(f"{w} {h} {new_w} {new_h} {name} {seed} {fnv(out):016x}" + (f" {out.hex()}" if len(out) <= 75 else ""))
    Path(__file__).with_suffix(".txt").write_text("\n".join(lines) + "\n")


main()
