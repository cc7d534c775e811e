"""The peers of clustering and selection, and who judges them.

    peer_cluster.py mixture N D BLOBS FILE               invents N vectors, rows of f32: overlapping blobs of unequal size
    peer_cluster.py faiss FILE D K ITERATIONS THREADS    prints seconds, inertia, and the inertia of each iteration
    peer_cluster.py sklearn FILE D K ITERATIONS THREADS  the same without the last
    peer_cluster.py groups N D FILE                      a stream of N embeddings in 20 groups of unequal size
    peer_cluster.py judge FILE RADIUS...                 reads that stream and selections of it (NAME=FILE, or random=COUNT,
                                                         medoids=COUNT) and prints groups present and coverage radius
"""
import os
import sys
import time

import numpy as np


def mixture(n, d, blobs, path):
    rng = np.random.default_rng(0)
    share, centre = rng.dirichlet(np.ones(blobs)), rng.normal(size=(blobs, d)) * 0.7
    axes = 1 / np.sqrt(1 + np.arange(d) / 16)  # uneven, as those of embeddings are
    width = rng.uniform(0.6, 1.4, size=blobs)
    blob = rng.choice(blobs, n, p=share)
    with open(path, "wb") as out:
        for at in range(0, n, 10000):
            b = blob[at:at + 10000]
            noise = rng.normal(size=(len(b), d)) * width[b, None]
            out.write(((centre[b] + noise) * axes).astype("<f4").tobytes())


def vectors(path, d):
    return np.fromfile(path, "<f4").reshape(-1, d)


def run_faiss(x, k, iterations, threads):
    import faiss
    faiss.omp_set_num_threads(threads)
    begun = time.perf_counter()
    km = faiss.Kmeans(x.shape[1], k, niter=iterations, max_points_per_centroid=len(x), seed=0)
    km.train(x)
    distance, _ = km.index.search(x, 1)  # whose cluster each is, which Kmeans does not keep
    took = time.perf_counter() - begun
    print(f"{took:.3f} {distance.sum(dtype='f8'):.8g}", *(f"{o:.8g}" for o in km.obj))


def run_sklearn(x, k, iterations, threads):
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits
    with threadpool_limits(threads):
        begun = time.perf_counter()
        km = KMeans(k, init="random", n_init=1, max_iter=iterations, random_state=0, copy_x=False).fit(x)
        print(f"{time.perf_counter() - begun:.3f} {km.inertia_:.8g} {km.n_iter_}")


def groups(n, d, path):
    import msgpack
    rng = np.random.default_rng(1)
    size = np.maximum(0.7 ** np.arange(20), 12 / n)
    group = np.concatenate([np.full(12, g) for g in range(20)] + [rng.choice(20, n - 240, p=size / size.sum())])
    centre, width = rng.normal(size=(20, d)) * 1.5, rng.uniform(0.3, 1.2, size=20)
    group.sort()
    with open(path, "wb") as out:
        for i, g in enumerate(group):
            v = (centre[g] + rng.normal(size=d) * width[g]).astype("<f4")
            tensor = {b"nd": True, b"type": "<f4", b"kind": b"", b"shape": [d], b"data": v.tobytes()}
            out.write(msgpack.packb({"id": str(i), "label": f"group {g}", "embedding": tensor}))


def records(path):
    import msgpack
    for r in msgpack.Unpacker(open(path, "rb"), strict_map_key=False, max_buffer_size=1 << 30):
        if "embedding" in r:
            yield int(r["id"]), r["label"], r["embedding"]


def radius(x, kept):
    near = np.full(len(x), np.inf, "f4")
    for at in range(0, len(kept), 64):
        c = x[kept[at:at + 64]]
        square = (x * x).sum(1)[:, None] - 2 * x @ c.T + (c * c).sum(1)
        np.minimum(near, square.min(1), out=near)
    return float(np.sqrt(max(near.max(), 0)))


def medoids(x, count):
    from sklearn.cluster import KMeans
    from sklearn.metrics import pairwise_distances_argmin
    centre = KMeans(count, n_init=1, random_state=0).fit(x).cluster_centers_
    return np.unique(pairwise_distances_argmin(centre, x))


def judge(path, named):
    all_of = list(records(path))
    label = np.array([r[1] for r in all_of])
    x = np.stack([np.frombuffer(r[2].get(b"data", r[2].get("data")), "<f4") for r in all_of])
    for one in named:
        name, value = one.split("=")
        if name == "random":
            kept = np.random.default_rng(0).choice(len(x), int(value), replace=False)
        elif name == "medoids":
            kept = medoids(x, int(value))
        else:
            kept = np.array([r[0] for r in records(value)])
        print(name, len(kept), len(set(label[kept])), f"{radius(x, kept):.4f}")


what, rest = sys.argv[1], sys.argv[2:]
if what == "mixture":
    mixture(int(rest[0]), int(rest[1]), int(rest[2]), rest[3])
elif what in ("faiss", "sklearn"):
    os.environ["OMP_NUM_THREADS"] = rest[4]
    (run_faiss if what == "faiss" else run_sklearn)(vectors(rest[0], int(rest[1])), *map(int, rest[2:5]))
elif what == "groups":
    groups(int(rest[0]), int(rest[1]), rest[2])
else:
    judge(rest[0], rest[1:])
