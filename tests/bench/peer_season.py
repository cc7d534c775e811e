#!/usr/bin/env python3
"""The peer of the whole path: a dive's video to the tensors of its most different seconds, as one writes it with the usual
packages. usage: peer_season.py VIDEO SELECT OUT.npy

PyAV decodes, all cores; of each whole second the frame on screen is taken; imagededup's perceptual hash leaves out what
is like a frame before it; scikit-learn clusters 16 x 16 thumbnails, and of each cluster the frame nearest to its centroid is
kept; torchvision's evaluation transform makes the tensors. Frames are shrunk as they come, so that memory holds an
hour of them. Prints how many frames there were, were unlike, were selected, and the largest resident set.
"""
import resource
import sys

import av
import numpy
from imagededup.methods import PHash
from sklearn.cluster import KMeans
from torchvision.transforms import v2

DISTANCE = 4  # bits of 64, as sb-dedup


def each_second(path):
    """The picture on screen at 0, 1, 2 ... seconds."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        first = shown = None
        tick = 0
        for frame in container.decode(stream):
            first = frame.time if first is None else first
            while shown is not None and frame.time - first > tick + 1e-6:
                yield shown.to_image()
                tick += 1
            shown = frame
        yield shown.to_image()


def unlike(pictures):
    """Leaves out pictures whose hash is near one before."""
    hasher, kept = PHash(), numpy.zeros(0, numpy.uint64)
    for picture in pictures:
        code = numpy.uint64(int(hasher.encode_image(image_array=numpy.asarray(picture)), 16))
        if kept.size and numpy.bitwise_count(kept ^ code).min() <= DISTANCE:
            continue
        kept = numpy.append(kept, code)
        yield picture


def main(path, select, out):
    transform = v2.Compose([v2.Resize(224, v2.InterpolationMode.BICUBIC), v2.CenterCrop(224)])
    count = 0

    def counted():
        nonlocal count
        for picture in each_second(path):
            count += 1
            yield picture

    tensors, thumbnails = [], []
    for picture in unlike(counted()):
        small = transform(picture)
        tensors.append(numpy.asarray(small).transpose(2, 0, 1))
        thumbnails.append(numpy.asarray(small.resize((16, 16), 2), numpy.float32).ravel() / 255)
    x = numpy.stack(thumbnails)
    means = KMeans(min(select, len(x)), n_init=1, random_state=0).fit(x)
    distance = numpy.linalg.norm(x - means.cluster_centers_[means.labels_], axis=1)
    nearest = {}
    for i in numpy.argsort(-distance):
        nearest[means.labels_[i]] = i
    chosen = sorted(nearest.values())
    numpy.save(out, numpy.stack([tensors[i] for i in chosen]))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{count} frames, {len(x)} unlike, {len(chosen)} selected, {peak:.0f} MB")


main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
