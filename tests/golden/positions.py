#!/usr/bin/env python3
"""Writes positions.safetensors: position embeddings resized by timm, larger and smaller, from a square and another grid.

    pip install torch timm safetensors; ./positions.py
"""
import os
import torch
from safetensors.torch import save_file
from timm.layers import resample_abs_pos_embed

torch.manual_seed(1)
HERE = os.path.dirname(os.path.abspath(__file__))
old = torch.randn(1, 1 + 5 * 5, 6)
out = {"old": old}
for side in (3, 8):
    out[f"new{side}"] = resample_abs_pos_embed(old, [side, side], num_prefix_tokens=1).contiguous()
out["wide"] = torch.randn(1, 1 + 4 * 7, 6)
for side in (3, 9):
    out[f"wide{side}"] = resample_abs_pos_embed(out["wide"], [side, side], old_size=[4, 7], num_prefix_tokens=1).contiguous()
save_file(out, os.path.join(HERE, "positions.safetensors"))
