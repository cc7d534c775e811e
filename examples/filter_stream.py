#!/usr/bin/env python3
"""A stage of one's own between two programs:

    sb-frames dive.mp4 | sb-pipe -- python3 filter_stream.py 40 | sb-tensorize -m reef.safetensors | ...

Adds the field brightness, and leaves out pictures darker than 40. sb-pipe keeps the stream's header and writes its trailer; here
are only records. Print to standard error: standard output is for records. Needs msgpack and msgpack-numpy.
"""
import sys

import msgpack
import msgpack_numpy

darkest = float(sys.argv[1])
for record in msgpack.Unpacker(sys.stdin.buffer, object_hook=msgpack_numpy.decode):
    record["brightness"] = float(record["image"].mean())
    if record["brightness"] >= darkest:
        sys.stdout.buffer.write(msgpack.packb(record, default=msgpack_numpy.encode))
        sys.stdout.buffer.flush()  # what comes next need not wait for a full buffer
