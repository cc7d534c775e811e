#!/usr/bin/env python3
"""The peer of bench_vit: the same ViT in PyTorch.

usage: peer_speed.py eager|autocast|compile NAME BATCH f32|bf16 infer|train [SECONDS [WEIGHTS]]
       peer_speed.py weights NAME FILE

Prints pictures a second (the best call), seconds from the process's start to the first result, the largest resident
set. compile is torch.compile, for inference with freezing. In bf16 eager and compile hold the weights in bf16 where they
infer; training is autocast. `weights` writes new weights as safetensors for both.
"""
import contextlib
import os
import resource
import sys
import time


def age():
    """Seconds since this process was started."""
    ticks = int(open("/proc/self/stat").read().rsplit(")", 1)[1].split()[19])
    return float(open("/proc/uptime").read().split()[0]) - ticks / os.sysconf("SC_CLK_TCK")


import timm
import torch


def adamw(model):
    matrices = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    return torch.optim.AdamW([{"params": matrices, "weight_decay": 0.05}, {"params": others, "weight_decay": 0}], lr=1e-4)


def inference(model, mode, pictures, bf16):
    model.eval()
    if bf16 and mode != "autocast":
        model, pictures = model.bfloat16(), pictures.bfloat16()
    if mode == "compile":
        from torch._inductor import config

        config.freezing = True
        model = torch.compile(model)
    cast = torch.autocast("cpu", dtype=torch.bfloat16) if mode == "autocast" else contextlib.nullcontext()

    def call():
        with torch.no_grad(), cast:
            return model(pictures)

    return call


def training(model, mode, pictures, bf16):
    model.train()
    optimiser, label = adamw(model), torch.arange(len(pictures)) * 37 % 1000
    run = torch.compile(model) if mode == "compile" else model

    def call():
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            loss = torch.nn.functional.cross_entropy(run(pictures), label)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        return loss.item()

    return call


def main():
    mode, name = sys.argv[1:3]
    if mode == "weights":
        from safetensors.torch import save_file

        save_file(timm.create_model(name).state_dict(), sys.argv[3])
        return
    batch, bf16, kind = int(sys.argv[3]), sys.argv[4] == "bf16", sys.argv[5]
    seconds = float(sys.argv[6]) if len(sys.argv) > 6 else 4
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    torch.manual_seed(1)
    model = timm.create_model(name, checkpoint_path=sys.argv[7] if len(sys.argv) > 7 else "")
    call = (training if kind == "train" else inference)(model, mode, torch.randn(batch, 3, 224, 224), bf16)
    call()
    first, best = age(), 1e9
    end, calls = time.perf_counter() + seconds, 0
    while calls < 3 or time.perf_counter() < end:
        began = time.perf_counter()
        call()
        best, calls = min(best, time.perf_counter() - began), calls + 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{batch / best:.2f} pictures/s, first after {first:.2f} s, {peak} MB")


main()
