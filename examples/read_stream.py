#!/usr/bin/env python3
"""Prints what a SeaBot stream says of each picture: read_stream.py labelled.sb

Needs msgpack and msgpack-numpy. Tensors arrive as numpy arrays.
"""
import sys

import msgpack
import msgpack_numpy

end = None
with open(sys.argv[1], "rb") as stream:
    for record in msgpack.Unpacker(stream, object_hook=msgpack_numpy.decode):
        if "seabot" in record:
            print("made by:", ", ".join(step["tool"] for step in record["history"]))
        elif "end" in record:
            end = record["end"]
        else:
            what = record["predicted"][0] if record.get("predicted") else record.get("label", "-")
            fields = ["%s%s" % (name, list(value.shape)) for name, value in record.items() if hasattr(value, "shape") and value.shape]
            print(record.get("source", "-"), record.get("pts", "-"), what, *fields)
if end is None:
    sys.exit("the stream was cut off")
