#!/usr/bin/env python3
"""The peers of resizing and of sb-tensorize, in one thread.

usage: peer_resize.py noise WIDTH HEIGHT OUT.rgb
       peer_resize.py resize ROWS
       peer_resize.py tensorize STREAM SIZE

`noise` writes random pixels; `resize` resizes WIDTH-HEIGHT.rgb as each line of ROWS says (width, height, new width, new height, filter)
and prints the line's number N, the peer, its best milliseconds of CPU time, and the share of samples in which it differs from N.rgb,
SeaBot's result; `tensorize` does to a stream's pictures what sb-tensorize
does, with Pillow and NumPy, and prints seconds, without Python's start.
"""
import io
import sys
import time

import numpy as np
from PIL import Image


def best(call, least=0.2):
    end, took, calls = time.thread_time() + least, 1e9, 0
    while calls < 3 or time.thread_time() < end:
        began = time.thread_time()
        call()
        took, calls = min(took, time.thread_time() - began), calls + 1
    return took * 1e3


def pixels(path, width, height):
    return np.fromfile(path, np.uint8).reshape(height, width, 3)


def resize(rows):
    import torch
    from torchvision.transforms import InterpolationMode, functional

    torch.set_num_threads(1)
    for n, line in enumerate(open(rows), 1):
        width, height, new_width, new_height, name = [int(a) if a.isdigit() else a for a in line.split()[:5]]
        samples, ours = pixels(f"{width}-{height}.rgb", width, height), pixels(f"{n}.rgb", new_width, new_height)
        picture, mode, planes = Image.fromarray(samples), InterpolationMode[name.upper()], torch.from_numpy(samples).permute(2, 0, 1)
        pillow = lambda: picture.resize((new_width, new_height), Image.Resampling[name.upper()])
        on_pillow = lambda: functional.resize(picture, [new_height, new_width], mode)
        # As read, and channel by channel, whichever is faster.
        tensors = [lambda t=t: functional.resize(t, [new_height, new_width], mode, antialias=True) for t in (planes, planes.contiguous())]
        for what, call in [("Pillow", pillow), ("torchvision/Pillow", on_pillow)]:
            print(n, what, f"{best(call):.3f}", np.mean(np.asarray(call()) != ours))
        print(n, "torchvision/tensor", f"{min(map(best, tensors)):.3f}", np.mean(tensors[0]().permute(1, 2, 0).numpy() != ours))


def tensorize(stream, size):
    import msgpack
    import msgpack_numpy

    began, packer = time.perf_counter(), msgpack.Packer(default=msgpack_numpy.encode)
    with open(stream, "rb") as f, open("/dev/null", "wb") as sink:
        for record in msgpack.Unpacker(f, object_hook=msgpack_numpy.decode, max_buffer_size=1 << 30):
            if "image" not in record:
                continue  # the header, the trailer
            image = record.pop("image")
            picture = Image.open(io.BytesIO(image)).convert("RGB") if isinstance(image, bytes) else Image.fromarray(image)
            shorter = min(picture.size)
            picture = picture.resize([size * side // shorter for side in picture.size], Image.Resampling.BICUBIC)
            x, y = [round((side - size) / 2) for side in picture.size]
            record["tensor"] = np.ascontiguousarray(np.asarray(picture.crop((x, y, x + size, y + size))).transpose(2, 0, 1))
            sink.write(packer.pack(record))
    print(time.perf_counter() - began)


def main():
    what, *rest = sys.argv[1:]
    rest = [int(a) if a.isdigit() else a for a in rest]
    if what == "noise":
        np.random.default_rng(1).integers(0, 256, (rest[1], rest[0], 3), np.uint8).tofile(rest[2])
    else:
        {"resize": resize, "tensorize": tensorize}[what](*rest)


main()
