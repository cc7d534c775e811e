#!/usr/bin/env python3
"""Writes caption.safetensors: a tiny captioner of timm's ViT and transformers' GPT-2, its input, every gradient, ten losses
of AdamW training, and the words that greedy decoding tells.

    pip install torch timm transformers safetensors; ./caption.py

All is computed in float64 and stored as float32. tests/test_model.c replays it.
"""
import os
import torch
from safetensors.torch import save_file
from timm.models.vision_transformer import VisionTransformer
from transformers import GPT2Config, GPT2Model

torch.set_default_dtype(torch.float64)
HERE = os.path.dirname(os.path.abspath(__file__))
WORDS, LENGTH, LR, DECAY, CLIP = 13, 8, 3e-3, 0.05, 1.0
BEGIN, END = 1, 2
CAPTIONS = torch.tensor([[1, 5, 6, 7, 2, 0, 0, 0], [1, 12, 2, 0, 0, 0, 0, 0], [1, 4, 8, 9, 10, 11, 4, 2]])


class Captioner(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.vit = VisionTransformer(img_size=12, patch_size=4, embed_dim=12, depth=1, num_heads=2, num_classes=0, weight_init="skip")
        self.project = torch.nn.Linear(12, 16)
        # One position more than words have: it stays zero, and is that of the picture's tokens.
        self.decoder = GPT2Model(GPT2Config(vocab_size=WORDS, n_positions=LENGTH + 1, n_embd=16, n_layer=2, n_head=2, resid_pdrop=0, embd_pdrop=0,
                                            attn_pdrop=0, layer_norm_epsilon=1e-5, bos_token_id=BEGIN, eos_token_id=END, attn_implementation="eager")).double()

    def forward(self, pictures, ids):
        prefix = self.project(self.vit.forward_features(pictures))
        x = torch.cat([prefix, self.decoder.wte(ids)], 1)
        positions = torch.cat([torch.full((prefix.shape[1],), LENGTH), torch.arange(ids.shape[1])])
        # The mask of ones is needed: without one, transformers takes positions that do not rise for several sequences, and keeps them apart.
        hidden = self.decoder(inputs_embeds=x, position_ids=positions[None].expand(len(x), -1), attention_mask=torch.ones(x.shape[:2], dtype=torch.long),
                              use_cache=False).last_hidden_state
        return hidden[:, prefix.shape[1]:] @ self.decoder.wte.weight.T


def file_name(name):
    return name[len("vit."):] if name.startswith("vit.") else name


def values(prefix, named):
    """wpe without the row that words do not use."""
    out = {}
    for name, t in named:
        t = t[:LENGTH] if name.endswith("wpe.weight") else t
        out[prefix + file_name(name)] = t.detach().to(torch.float32).clone().contiguous()
    return out


def decays(name, p):
    return p.ndim >= 2 and not name.endswith(("cls_token", "pos_embed", "wpe.weight"))


def greedy(model, pictures):
    told = torch.full((len(pictures), LENGTH), -1, dtype=torch.int32)
    for i in range(len(pictures)):
        ids = [BEGIN]
        while len(ids) < LENGTH and ids[-1] != END:
            logits = model(pictures[i:i + 1], torch.tensor([ids]))[0, -1]
            best = logits.topk(2).values
            assert best[0] - best[1] > 1e-3, "too close to be told apart in f32: take another seed"
            ids.append(int(logits.argmax()))
        told[i, :len(ids) - 1] = torch.tensor(ids[1:], dtype=torch.int32)
    return told


def main():
    torch.manual_seed(12)
    model = Captioner()
    for name, p in model.named_parameters():
        around = 1.0 if ("norm" in name or "ln_" in name) and name.endswith("weight") else 0.0
        wide = 1.2 if "wpe" in name or "project" in name else 0.6 if "vit" in name or "c_attn" in name else 0.3  # so that words depend on place and picture
        p.data = (around + wide * torch.randn_like(p)).float().double()
    wpe = model.decoder.wpe.weight
    wpe.data[LENGTH] = 0
    wpe.register_hook(lambda g: g * (torch.arange(LENGTH + 1) < LENGTH)[:, None])
    pictures = (torch.randn(3, 3, 12, 12) + 3 * torch.randn(3, 3, 1, 1)).float().double()  # no two alike in colour
    inputs, targets = CAPTIONS[:, :-1], CAPTIONS[:, 1:].clone()
    targets[targets == 0] = -100

    def loss_of():
        logits = model(pictures, inputs)
        return torch.nn.functional.cross_entropy(logits.reshape(-1, WORDS), targets.reshape(-1))

    out = {"pictures": pictures.float(), "captions": CAPTIONS.to(torch.int32), "told": greedy(model, pictures)}
    out.update(values("weight.", model.named_parameters()))
    loss_of().backward()
    out.update(values("grad.", ((n, p.grad) for n, p in model.named_parameters())))
    groups = [{"params": [p for n, p in model.named_parameters() if decays(n, p) == d], "weight_decay": DECAY * d} for d in (0, 1)]
    optimizer = torch.optim.AdamW(groups, lr=LR, betas=(0.9, 0.999), eps=1e-8)
    losses = []
    for _ in range(10):
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        losses.append(loss.detach())
    out["losses"] = torch.stack(losses).float()
    save_file(out, os.path.join(HERE, "caption.safetensors"))
    print([f"{float(x):.4f}" for x in losses], out["told"].tolist())


main()
