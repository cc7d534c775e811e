#!/usr/bin/env python3
"""Writes pictures/*.jpg, *.png and pictures/expected.txt: small files of every kind, and what Pillow decodes them to.

A line of expected.txt: name width height hash, where hash is FNV-1a (64 bits) of the RGB pixels, upright. Pillow clips
16-bit grey, so there the high bytes are what is expected.
A line of asked.txt: stored|bits|over value name width height hash, what is expected where more is asked for: pixels as stored, so many
bits of 16 in use (where Pillow clips, it is 8), or transparent ones over the background value,value + 1,value + 2.
"""
import struct
import zlib
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


def write_png_16(path, samples):
    """RGB or RGBA of 16 bits, which Pillow does not write."""
    h, w, channels = samples.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", w, h, 16, {3: 2, 4: 6}[channels], 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks))


def over(im, value):
    rgba = im.convert("RGBA")
    background = Image.new("RGB", im.size, (value, value + 1, value + 2))
    background.paste(rgba, mask=rgba.getchannel("A"))
    return background


def asked():
    def line(what, value, name, expected):
        return f"{what} {value} {name} {expected.width} {expected.height} {fnv(expected.convert('RGB').tobytes()):016x}"

    def load(name):
        return Image.open(HERE / name)

    for name in ["turned-6.jpg", "turned-8.png"]:
        yield line("stored", 0, name, load(name))
    for name in ["rgb-alpha.png", "grey-alpha.png", "palette-transparent.png", "rgb-transparent.png", "rgba-16.png"]:
        for value in [0, 200]:
            yield line("over", value, name, over(load(name), value))
    yield line("over", 9, "rgb.png", load("rgb.png"))
    twelve = np.asarray(load("grey-12.png")).astype(np.uint16)
    yield line("bits", 12, "grey-12.png", Image.fromarray((twelve >> 4).astype(np.uint8)))
    yield line("bits", 8, "grey-12.png", load("grey-12.png").convert("L"))
    yield line("bits", 16, "grey-12.png", Image.fromarray((twelve >> 8).astype(np.uint8)))
    yield line("bits", 12, "rgb.png", load("rgb.png"))


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
    half = grey.convert("LA")
    half.putalpha(rgb.getchannel("R"))
    save("grey-alpha.png", half)
    rgba = rgb.convert("RGBA")
    rgba.putalpha(grey)
    save("rgb-alpha.png", rgba)
    save("rgb-transparent.png", rgb, transparency=rgb.getpixel((0, 0)))
    save("grey-16.png", Image.fromarray(np.asarray(grey).astype(np.uint16) * 256 + 77), grey.convert("RGB"))
    save("grey-12.png", Image.fromarray(np.asarray(grey).astype(np.uint16) * 16 + 5), Image.fromarray(np.asarray(grey) >> 4).convert("RGB"))
    for orientation in [3, 8]:
        exif = Image.Exif()
        exif[0x0112] = orientation
        save(f"turned-{orientation}.png", rgb, exif=exif)
    noisy = np.asarray(rgba).astype(np.uint16) * 256 + np.arange(45, dtype=np.uint16)[None, :, None] * 5
    for name, samples in [("rgb-16.png", noisy[..., :3]), ("rgba-16.png", noisy)]:
        write_png_16(HERE / name, samples)
        expected = Image.open(HERE / name).convert("RGB")
        lines.append(f"{name} {expected.width} {expected.height} {fnv(expected.tobytes()):016x}")
    (HERE / "asked.txt").write_text("\n".join(asked()) + "\n")
    (HERE / "expected.txt").write_text("\n".join(lines) + "\n")


main()
