#!/usr/bin/env python3
"""The peer of bench_turns: the same work in PyTorch, measured in turns on the same device.

usage: peer_gpu.py DEVICE NAME SIZE BATCH f32|bf16 infer|train    a ViT or ResNet of peer_models.py
       peer_gpu.py DEVICE kmeans N D K                            iterations of k-means
       peer_gpu.py DEVICE ceilings                                what the device's products and copies reach

It waits for a line before it uses the device, says in a line of JSON what it is once it is warm, and then, for each line
with a number of seconds, measures for about so long: {"calls": n, "seconds": s}. Between turns it holds no memory that
it does not need. Pictures lie on the device already (of one picture, in pinned memory), which SeaBot's do not.

PyTorch is given what makes it fast: torch.compile, bf16 autocast where it trains and bf16 weights where it infers,
scaled_dot_product_attention, channels_last and cuDNN's own timing for ResNets, the fused AdamW, and for single pictures
max-autotune and a CUDA graph.
"""
import json
import sys
import time

import torch
from torch.nn import functional as F

from peer_models import build

WARM = 3  # calls before each turn, which take the memory again


def next_line():
    line = sys.stdin.readline()
    if not line:
        sys.exit(0)
    return float(line or 0)


def say(**what):
    print(json.dumps(what), flush=True)


def wait(device):
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def turns(device, call, about):
    """call: queues one piece of work."""
    for _ in range(WARM):
        call()
    wait(device)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)  # without what finding the fastest convolutions took
    began = time.perf_counter()
    call()
    wait(device)
    each = time.perf_counter() - began
    if device.type == "cuda":
        about["bytes"] = torch.cuda.max_memory_allocated(device)
        torch.cuda.empty_cache()
    say(**about)
    while True:
        calls = int(next_line() / each) + 1
        for _ in range(WARM):
            call()
        wait(device)
        began = time.perf_counter()
        for _ in range(calls):
            call()
        wait(device)
        say(calls=calls, seconds=time.perf_counter() - began)
        if device.type == "cuda":
            torch.cuda.empty_cache()


def normalise(pictures, dtype):
    return ((pictures.float() / 255 - 0.5) / 0.5).to(dtype)


def training(model, pictures, bf16):
    decayed = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": 0.05}, {"params": others, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=1e-4, fused=True)
    label = torch.arange(len(pictures), device=pictures.device) * 37 % 1000
    layout = torch.channels_last if pictures.is_contiguous(memory_format=torch.channels_last) else torch.contiguous_format

    @torch.compile
    def loss_of(x):
        with torch.autocast(x.device.type, dtype=torch.bfloat16, enabled=bf16):
            return F.cross_entropy(model(normalise(x, torch.float32).contiguous(memory_format=layout)), label)

    def call():
        loss_of(pictures).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1, foreach=True)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)

    return call


def inference(model, pictures, bf16):
    dtype = torch.bfloat16 if bf16 else torch.float32
    model = model.eval().to(dtype)

    @torch.compile(mode="max-autotune-no-cudagraphs" if len(pictures) == 1 and pictures.is_cuda else None)
    def logits_of(x):
        return model(normalise(x, dtype))

    def call():
        with torch.inference_mode():
            return logits_of(pictures)

    return call


def captured(call, device):
    """call as one CUDA graph."""
    stream = torch.cuda.Stream(device)
    with torch.cuda.stream(stream):
        for _ in range(WARM):
            call()
    wait(device)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream):
        logits = call()
    return graph, logits


def single(call, device, pictures):
    """From a tensor in pinned memory to logits in the host's."""
    if device.type != "cuda":
        return lambda: call().float().numpy()
    given = pictures.cpu().pin_memory()
    graph, logits = captured(call, device)

    def answer():
        pictures.copy_(given, non_blocking=True)
        graph.replay()
        return logits.float().cpu()

    return answer


def model_turns(device, name, size, batch, precision, kind):
    size, batch, bf16 = int(size), int(batch), precision == "bf16"
    torch.manual_seed(1)
    model = build(name, size)
    pictures = torch.randint(0, 256, (batch, 3, size, size), dtype=torch.uint8)
    next_line()
    model, pictures = model.to(device), pictures.to(device)
    if name.startswith("resnet"):
        model, pictures = (x.to(memory_format=torch.channels_last) for x in (model, pictures))
    call = (training if kind == "train" else inference)(model, pictures, bf16)
    if kind == "infer" and batch == 1:
        call = single(call, device, pictures)
    turns(device, call, {"weights": sum(p.numel() for p in model.parameters())})


def kmeans_turns(device, n, d, k):
    n, d, k = int(n), int(d), int(k)
    torch.manual_seed(1)
    x = torch.rand(n, d) * 2 - 1
    next_line()
    x = x.to(device)
    centroid = x[torch.randperm(n, device=device)[:k]].clone()
    one = torch.ones(n, device=device)

    @torch.compile
    def nearest(part, c):
        return torch.addmm((c * c).sum(1), part, c.T, alpha=-2).argmin(1)

    def call():
        index = nearest(x, centroid)
        count = torch.zeros(k, device=device).index_add_(0, index, one)
        total = torch.zeros_like(centroid).index_add_(0, index, x)
        centroid.copy_(torch.where(count[:, None] > 0, total / count.clamp(min=1)[:, None], centroid))

    turns(device, call, {"weights": n * d})


def ceilings(device):
    """Operations a second of a large product in bf16 and in TF32, bytes a second, read and written, of a large copy."""
    n, copied = (8192, 1 << 30) if device.type == "cuda" else (128, 1 << 20)
    next_line()

    def rate(call, work, times=20):
        seconds = []
        for _ in range(times):
            wait(device)
            began = time.perf_counter()
            for _ in range(5):
                call()
            wait(device)
            seconds.append((time.perf_counter() - began) / 5)
        return work / sorted(seconds)[times // 2]

    a, b = (torch.randn(n, n, device=device) for _ in range(2))
    tf32 = rate(lambda: a @ b, 2 * n**3)
    a, b = a.bfloat16(), b.bfloat16()
    bf16 = rate(lambda: a @ b, 2 * n**3)
    x = torch.rand(copied, device=device)
    y = torch.empty_like(x)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "the processor"
    say(device=name, torch=torch.__version__, cuda=torch.version.cuda, cudnn=torch.backends.cudnn.version(), bf16=bf16,
        tf32=tf32, copy=rate(lambda: y.copy_(x), 8 * copied))


def main():
    device, what = torch.device(sys.argv[1]), sys.argv[2]
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.benchmark = True
    if what == "kmeans":
        kmeans_turns(device, *sys.argv[3:])
    elif what == "ceilings":
        ceilings(device)
    else:
        model_turns(device, *sys.argv[2:])


if __name__ == "__main__":
    main()
