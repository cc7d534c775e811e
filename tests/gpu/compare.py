#!/usr/bin/env python3
"""Compares what a program said on two devices: compare.py losses|answers A B TOLERANCE.

losses: JSON lines of sb-train; each epoch's train_loss may be off by TOLERANCE of A's.
answers: JSON lines of sb-export; the share of records whose label, cluster or caption differs may be TOLERANCE.
"""
import json
import sys


def answer(record):
    predicted = record.get("predicted")
    return predicted[0][0] if predicted else record.get("cluster", record.get("caption"))


def main():
    what, *files, tolerance = sys.argv[1:]
    a, b = ([json.loads(line) for line in open(name)] for name in files)
    if not a or len(a) != len(b):
        sys.exit(f"{len(a)} lines, and {len(b)}")
    if what == "losses":
        a, b = ([line["train_loss"] for line in lines] for lines in (a, b))
        print(*(f"{x:.6f} {y:.6f}" for x, y in zip(a, b)), sep="\n")
        off = sorted((abs(x - y) / abs(x) for x, y in zip(a, b)), key=lambda x: (x != x, x))[-1]  # not a number is the largest
    else:
        a, b = ([answer(line) for line in lines] for lines in (a, b))
        if None in a:
            sys.exit("a record has no answer")
        print(*(f"{x!r} {y!r}" for x, y in zip(a, b) if x != y), sep="\n")
        off = sum(x != y for x, y in zip(a, b)) / len(a)
    print(f"off by {off:.2e}, allowed {float(tolerance):.0e}")
    sys.exit(not off <= float(tolerance))


if __name__ == "__main__":
    main()
