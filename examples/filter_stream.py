#!/usr/bin/env python3
"""A stage of one's own between two programs: sb-frames dive.mp4 | filter_stream.py 40 | sb-tensorize -m reef.safetensors | ...

Adds the field brightness, and leaves out the darkest pictures. Header and trailer are not sent on: the trailer's hash is that of
other bytes. What comes after can't know then whether the stream is whole, and says so; `set -o pipefail` notices for it.
"""
import sys

import msgpack
import msgpack_numpy

end = None
for record in msgpack.Unpacker(sys.stdin.buffer, object_hook=msgpack_numpy.decode):
    if "seabot" in record:
        continue
    if "end" in record:
        end = record["end"]
        continue
    record["brightness"] = float(record["image"].mean())
    if record["brightness"] >= float(sys.argv[1]):
        sys.stdout.buffer.write(msgpack.packb(record, default=msgpack_numpy.encode))
if end is None:
    sys.exit("the stream was cut off")
