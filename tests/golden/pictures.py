#!/usr/bin/env python3
"""Writes pictures/*.jpg, *.png and pictures/expected.txt: small files of every kind, and what Pillow decodes them to.

A line of expected.txt: name width height hash, where hash is FNV-1a (64 bits) of the RGB pixels, upright. Pillow clips
16-bit grey, so there the high bytes are what is expected.
"""
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from noise import fnv

HERE = Path(__file__).parent / "pictures"


def scene(w=45, h=31):
    """A gradient with a bright disc and a dark bar: no two corners alike."""
    y, x = np.mgrid[0:h, 0:w]
    rgb = np.stack([x * 255 // w, y * 255 // h, (x + y) * 255 // (w + h)], -1).astype(np.uint8)
    rgb[(x - 12) ** 2 + (y - 10) ** 2 < 40] = (250, 180, 30)
    rgb[(x > 30) & (y > 22)] = (10, 20, 60)
    return Image.fromarray(rgb)


def main():
    HERE.mkdir(exist_ok=True)
    rgb, lines = scene(), []
    grey = rgb.convert("L")

    def save(name, im, expected=None, **options):
        im.save(HERE / name, **options)
        if expected is None:
            expected = ImageOps.exif_transpose(Image.open(HERE / name)).convert("RGB")
        lines.append(f"{name} {expected.width} {expected.height} {fnv(expected.tobytes()):016x}")

    for subsampling in range(3):
        save(f"baseline-{subsampling}.jpg", rgb, subsampling=subsampling, quality=85)
        save(f"progressive-{subsampling}.jpg", rgb, subsampling=subsampling, quality=60, progressive=True)
    save("grey.jpg", grey)
    save("cmyk.jpg", rgb.convert("CMYK"))
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        save(f"turned-{orientation}.jpg", rgb, exif=exif)
    save("rgb.png", rgb)
    save("palette-256.png", rgb.quantize(200))
    save("palette-16.png", rgb.quantize(13))
    save("palette-transparent.png", rgb.quantize(30), transparency=3)
    save("bits.png", rgb.convert("1"))
    save("grey.png", grey)
    save("grey-alpha.png", grey.convert("LA"))
    rgba = rgb.convert("RGBA")
    rgba.putalpha(grey)
    save("rgb-alpha.png", rgba)
    save("rgb-transparent.png", rgb, transparency=rgb.getpixel((0, 0)))
    save("grey-16.png", Image.fromarray(np.asarray(grey).astype(np.uint16) * 256 + 77), grey.convert("RGB"))
    (HERE / "expected.txt").write_text("\n".join(lines) + "\n")


main()
