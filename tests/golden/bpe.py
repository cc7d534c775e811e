#!/usr/bin/env python3
"""Writes gpt2/vocab.json and gpt2/merges.txt, a tiny vocabulary in GPT-2's form, and bpe.json: what transformers' GPT2Tokenizer makes of
awkward texts and of awkward numbers, with that vocabulary and with GPT-2's own.

    pip install transformers; ./bpe.py FOLDER      # that holds GPT-2's vocab.json and merges.txt

tests/test_bpe.c replays it.
"""
import json
import os
import random
import sys
from tokenizers import ByteLevelBPETokenizer
from transformers import GPT2Tokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
TINY = os.path.join(HERE, "gpt2")
LEARNT = ["an orange fish over sand", "two white jellyfish and a purple sea star over mud", "three sea stars over rock", "nothing but open water",
          "a crab hides under the rock; it's 12 m deep", "the anemone's arms are out, as they've been since 2021"]
TEXTS = [
    "", " ", "a", "an orange fish over sand", "Two sea stars, and a white jellyfish!", "  leading and trailing  ", "tabs\tand\t\ttabs", "lines\nand\n\n\nlines\r\n", "   \n \t ",
    "it's we're they've I'm you'll he'd can't", "IT'S WE'RE 'tis '' 's'", "depth 1234.5m, 07:31, 3,000,000 -1.8°C", "x=1;y=2//comment(z)[0]{}", "Ωmega Ευπλοια Γάδος μορόα",
    "\u6d77\u5e95\u306b\u3044\u308b\u9b5a\u3002\ud574\ud30c\ub9ac", "\U0001f420\U0001f419 \U0001f9dc\u200d\u2640\ufe0f!", "e\u0301 \u0301 a\u0308\u0323", "\u00a0no\u00a0break\u2003em\u3000wide\u2028line\u1680ogham",
    "\u180evowel\u180eseparator \u200bzero", "\x85next\x1cline\x0b\x0c", "\u0663\u0664\u0665 \u00b2\u00b3 \u00bd \u216b", "\u201cquotes\u201d \u2018and\u2019 \u00abso\u00bb \u2014 \u2026", "<|endoftext|>", "a<|endoftext|>b",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "antidisestablishmentarianism Thysanoteuthis rhombus", "\u0e1b\u0e25\u0e32\u0e17\u0e30\u0e40\u0e25 \u0905\u0902\u0921\u093e \u0633\u0645\u0643\u0629", "\ufeffbom \ufffd", "snake_case-kebab", "a  b   c    d     e",
    "\u01c5 \u02b0 \u0374", "sand" * 40, "\x01\x7f",
]


def cases(tokenizer):
    return [{"text": text, "ids": tokenizer(text, split_special_tokens=True).input_ids} for text in TEXTS]


def decodings(tokenizer, rng, special):
    """Cut in the middle of characters, and drawn by lot."""
    out = []
    broken = tokenizer("\U0001f420\U0001f419\u6d77\u5e95\u00e9\u0301", split_special_tokens=True).input_ids
    lists = [broken[:i] for i in range(len(broken) + 1)] + [broken[i:] for i in range(len(broken))] + [broken[::-1]]
    lists += [[rng.randrange(len(tokenizer)) for _ in range(24)] for _ in range(8)]
    lists += [[rng.randrange(256) for _ in range(24)] for _ in range(16)]  # bytes
    for ids in lists:
        ids = [i for i in ids if i != special]
        out.append({"ids": ids, "text": tokenizer.decode(ids, clean_up_tokenization_spaces=False)})
    return [o for o in out if "\0" not in o["text"]]


def main():
    learner = ByteLevelBPETokenizer()
    learner.train_from_iterator(LEARNT * 2, vocab_size=352, min_frequency=2, special_tokens=["<|endoftext|>"], show_progress=False)
    learner.save_model(TINY)
    out = {}
    for name, folder in (("tiny", TINY), ("gpt2", sys.argv[1])):
        rng = random.Random(5)
        tokenizer = GPT2Tokenizer(vocab=os.path.join(folder, "vocab.json"), merges=os.path.join(folder, "merges.txt"))
        special = tokenizer.convert_tokens_to_ids("<|endoftext|>")
        out[name] = {"end": special, "encode": cases(tokenizer), "decode": decodings(tokenizer, rng, special)}
    with open(os.path.join(HERE, "bpe.json"), "w") as f:
        json.dump(out, f, separators=(",", ":"))
        f.write("\n")


main()
