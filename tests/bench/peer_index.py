#!/usr/bin/env python3
"""The peer of bench_index: faiss.IndexBinaryFlat over the same hashes and queries, one at a time and many at once.

usage: peer_index.py FILE COUNT
"""
import sys
import time

import faiss
import numpy as np

count = int(sys.argv[2])
data = np.fromfile(sys.argv[1], np.uint8).reshape(-1, 8)
index = faiss.IndexBinaryFlat(64)
index.add(data[:count])
queries = data[count:]
for name, batch, rounds, threads in (("one at a time", 1, 20, 1), ("200 at once", 200, 1, 1), ("200 at once, all cores", 200, 1, faiss.omp_get_max_threads())):
    for what in ("nearest", "radius 6"):
        faiss.omp_set_num_threads(threads)
        best = 1e9
        for _ in range(3):
            begun = time.perf_counter()
            for r in range(rounds):
                q = queries[r * batch : (r + 1) * batch]
                index.search(q, 1) if what == "nearest" else index.range_search(q, 7)
            best = min(best, (time.perf_counter() - begun) / rounds / batch)
        print(f"faiss flat, {what}, {name}: {1e6 * best:.1f} us a look-up")
