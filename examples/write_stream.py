#!/usr/bin/env python3
"""Writes pictures of one's own as a stream: write_stream.py N > mine.sb; then: sb-tensorize mine.sb | sb-classify ...

A header and trailer are not needed; without them the programs can't tell whether the stream is whole, and say so once.
"""
import sys

import msgpack
import msgpack_numpy
import numpy

for number in range(int(sys.argv[1])):
    picture = numpy.zeros((48, 64, 3), numpy.uint8)  # rows, columns, RGB
    picture[:, :, 2] = 40 * number % 256
    record = {"source": "mine", "pts": float(number), "image": picture}
    sys.stdout.buffer.write(msgpack.packb(record, default=msgpack_numpy.encode))
