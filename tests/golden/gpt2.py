#!/usr/bin/env python3
"""Writes gpt2/config.json and gpt2/model.safetensors, a tiny GPT-2 as transformers saves one, beside the vocabulary that bpe.py makes, and
gpt2-logits.safetensors: what it computes from some tokens, and the tokens that greedy decoding adds.

    pip install torch transformers safetensors; ./gpt2.py

All is computed in float64 and stored as float32. tests/test_gpt2.c replays it. The tables of words and positions are longer than needed, as
some that are published.
"""
import json
import os
import torch
from safetensors.torch import save_file
from transformers import GPT2Config, GPT2LMHeadModel

HERE = os.path.dirname(os.path.abspath(__file__))
TINY = os.path.join(HERE, "gpt2")
TOKENS = len(json.load(open(os.path.join(TINY, "vocab.json"))))
GIVEN, TOLD, SEED = 6, 6, 3


def main():
    torch.manual_seed(SEED)
    config = GPT2Config(vocab_size=TOKENS + 4, n_positions=24, n_embd=16, n_layer=2, n_head=4, bos_token_id=0, eos_token_id=0,
                        resid_pdrop=0, embd_pdrop=0, attn_pdrop=0)
    model = GPT2LMHeadModel(config)
    for name, p in model.named_parameters():
        around = 1.0 if "ln_" in name and name.endswith("weight") else 0.0
        p.data = around + (0.12 if "wte" in name else 0.25) * torch.randn_like(p)
    model.save_pretrained(TINY)
    os.remove(os.path.join(TINY, "generation_config.json"))
    model = model.double().eval()
    ids = torch.randint(1, TOKENS, (2, GIVEN))
    given = ids.clone()
    with torch.no_grad():
        logits = model(ids).logits[..., :TOKENS]
        for _ in range(TOLD):
            last = model(ids).logits[:, -1, :TOKENS]
            best = last.topk(2).values
            assert (best[:, 0] - best[:, 1]).min() > 1e-3, "too close to be told apart in f32: take another seed"
            ids = torch.cat([ids, last.argmax(-1, keepdim=True)], 1)
    save_file({"ids": given.to(torch.int32), "logits": logits.float().contiguous(), "told": ids.to(torch.int32)},
              os.path.join(HERE, "gpt2-logits.safetensors"))
    print(logits.std(), logits.abs().max(), ids.tolist())


main()
