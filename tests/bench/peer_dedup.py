#!/usr/bin/env python3
"""The peer of tests/bench/dedup: imagededup, and the pictures that both are given.

usage: peer_dedup.py copies DATA OUT        originals of DATA and altered copies of them, as OUT/KIND/GROUP-NUMBER
       peer_dedup.py tracks DATA OUT        tracks of fish, as OUT/original/GROUP-NUMBER
       peer_dedup.py many DATA OUT COUNT    COUNT JPEG files of about a megapixel
       peer_dedup.py hash METHOD FOLDER     "KIND DISTANCE PAIRS" of a method, as bench_copies prints them
       peer_dedup.py remove METHOD FOLDER   how many files imagededup would remove, all cores
       peer_dedup.py curve NAME=FILE...     recall at precisions, from such lines
"""
import glob
import io
import os
import sys


def pictures(data):
    """(group, path): an animal's track, a video, or the picture itself."""
    for path in sorted(glob.glob(data + "/images/f4k/*/*.png")):
        yield "fish" + os.path.basename(path).split("_")[1], path
    for i, path in enumerate(sorted(glob.glob(data + "/images/plankton/*/*.jpg"))):
        yield f"plankton{i}", path
    for path in sorted(glob.glob(data + "/images/tank/*.jpg")):
        yield "tank", path


def crop(image, left, top, right, bottom):
    w, h = image.size
    return image.crop((round(w * left), round(h * top), w - round(w * right), h - round(h * bottom)))


def alterations():
    import numpy as np
    from PIL import Image, ImageEnhance, ImageOps

    def scaled(image, by):
        return image.resize((max(1, round(image.width * by)), max(1, round(image.height * by))), Image.BICUBIC)

    def cast(image):
        return Image.fromarray(np.clip(np.asarray(image) * np.array([0.8, 1, 1.15]) + 0.5, 0, 255).astype(np.uint8))

    def gamma(image):
        return Image.fromarray((255 * (np.asarray(image) / 255) ** 1.3 + 0.5).astype(np.uint8))

    png = {
        "half": lambda i: scaled(i, 0.5),
        "larger": lambda i: scaled(i, 1.5),
        "crop-middle": lambda i: crop(i, 0.025, 0.025, 0.025, 0.025),
        "crop-corner": lambda i: crop(i, 0.05, 0.05, 0, 0),
        "crop-edges": lambda i: crop(i, 0.05, 0.05, 0.05, 0.05),
        "mirrored": ImageOps.mirror,
        "cast": cast,
        "gamma": gamma,
        "paler": lambda i: ImageEnhance.Color(i).enhance(0.3),
    }
    return png, {"quality85": 85, "quality50": 50, "quality30": 30}


def copies(data, out):
    from PIL import Image

    png, jpeg = alterations()
    for kind in ["original", *png, *jpeg]:
        os.makedirs(f"{out}/{kind}")
    for i, (group, path) in enumerate(pictures(data)):
        image = Image.open(path).convert("RGB")
        image.save(f"{out}/original/{group}-{i}.png", compress_level=1)
        for kind, alter in png.items():
            alter(image).save(f"{out}/{kind}/{group}-{i}.png", compress_level=1)
        for kind, quality in jpeg.items():
            image.save(f"{out}/{kind}/{group}-{i}.jpg", quality=quality)


def tracks(data, out):
    import shutil

    os.makedirs(out + "/original")
    for path in sorted(glob.glob(data + "/images/f4k_tracks/*.png")):
        _, track, number = os.path.basename(path)[:-4].split("_")
        shutil.copy(path, f"{out}/original/{track}-{number}.png")


def many(data, out, count):
    """Frames of the real clips, cut and shifted so that no two are alike, and a copy of lower quality of each third."""
    import av
    from PIL import Image

    os.makedirs(out)
    frames = []
    for clip in ("jellyfish-h264-1080p.mp4", "aquarium-hevc-portrait.mp4"):
        with av.open(f"{data}/video/{clip}") as video:
            frames += [f.to_image() for i, f in enumerate(video.decode(video=0)) if i % 4 == 0]
    frames += [Image.open(p).convert("RGB").resize((1920, 1080)) for p in sorted(glob.glob(data + "/images/tank/*.jpg"))]
    for i in range(count):
        n = i - i // 3 if i % 3 < 2 else i - i // 3 - 1  # each third repeats the one before it
        frame = frames[n % len(frames)]
        step = n // len(frames)
        w, h = (1280, 960) if frame.width > frame.height else (960, 1280)
        x, y = (step * 97) % (frame.width - w + 1), (step * 61) % (frame.height - h + 1)
        part = frame.crop((x, y, x + w, y + h))
        part.save(f"{out}/{i:05d}.jpg", quality=60 if i % 3 == 2 else 90)


def method(name):
    from imagededup import methods

    return getattr(methods, name)(verbose=False)


def hashes(name, folder):
    import numpy as np

    encoded = method(name).encode_images(image_dir=folder, recursive=True)
    bits = {k: np.unpackbits(np.frombuffer(bytes.fromhex(v), np.uint8)) for k, v in encoded.items()}
    kinds = sorted({k.split("/")[0] for k in bits})
    names = {kind: [k for k in bits if k.startswith(kind + "/")] for kind in kinds}
    stem = lambda k: k.split("/")[1].rsplit(".", 1)[0]
    group = lambda k: stem(k).rsplit("-", 1)[0]
    first = names["original"]
    table = np.array([bits[k] for k in first], np.float32)
    stems, groups = np.array([stem(k) for k in first]), np.array([group(k) for k in first])
    for kind in [k for k in kinds if k != "original"] or ["original"]:
        query = np.array([bits[k] for k in names[kind]], np.float32)
        distance = (query.sum(1)[:, None] + table.sum(1) - 2 * query @ table.T).astype(int)
        same = np.array([group(k) for k in names[kind]])[:, None] == groups
        copy = np.array([stem(k) for k in names[kind]])[:, None] == stems
        if kind == "original":
            copy, above = same, np.tri(len(same), k=-1, dtype=bool)
        else:
            above = np.ones_like(same)
        for label, mask in ((kind, copy & above), ("other", ~same & above)):
            for d, n in enumerate(np.bincount(distance[mask], minlength=1)):
                if n:
                    print(label, d, n)


def remove(name, folder):
    m = method(name)
    encoded = m.encode_images(image_dir=folder)
    print(len(m.find_duplicates_to_remove(encoding_map=encoded)))


def curve(files):
    levels = (0.9, 0.925, 0.95, 0.975, 0.99, 0.999)
    print("%-34s" % "recall at precision", *("%9.3f" % p for p in levels))
    for item in files:
        name, path = item.split("=")
        rows = [(k, int(d), int(n)) for k, d, n in (line.split() for line in open(path))]
        kinds = sorted({k for k, _, _ in rows} - {"other"})
        total = sum(n for k, _, n in rows if k != "other")
        best = {}
        for t in range(257):
            good = sum(n for k, d, n in rows if k != "other" and d <= t)
            bad = sum(n for k, d, n in rows if k == "other" and d <= t)
            for p in levels:
                if good and good / (good + bad) >= p:
                    best[p] = (good / total, t)
        print("%-34s" % name, *("%9s" % ("%.3f" % best[p][0] if p in best else "-") for p in levels),
              " bits", *(best[p][1] if p in best else "-" for p in levels))
        if len(kinds) > 1 and 0.95 in best:
            share = {k: sum(n for q, d, n in rows if q == k and d <= best[0.95][1]) / sum(n for q, _, n in rows if q == k)
                     for k in kinds}
            print("    at 0.95:", " ".join(f"{k} {v:.2f}" for k, v in share.items()))


def main():
    command, *rest = sys.argv[1:]
    if command == "many":
        many(rest[0], rest[1], int(rest[2]))
    else:
        {"copies": copies, "tracks": tracks, "hash": hashes, "remove": remove}.get(command, lambda *f: curve(f))(*rest)


if __name__ == "__main__":
    main()
