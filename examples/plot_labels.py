#!/usr/bin/env python3
"""Where in a dive what was seen: plot_labels.py labelled.sb dive.png

Time goes to the right, depth downwards; without depth each label has a row of its own. Needs msgpack and matplotlib.
"""
import datetime
import sys

import matplotlib

matplotlib.use("Agg")  # a file, no window
import matplotlib.pyplot as plt
import msgpack

seen, end = {}, None
with open(sys.argv[1], "rb") as stream:
    for record in msgpack.Unpacker(stream):
        end = record.get("end")
        label = record.get("label")  # a person's word comes before a prediction
        if label is None and record.get("predicted"):
            label = record["predicted"][0][0]
        if label is None:
            continue
        if "time" in record:
            moment = datetime.datetime.fromtimestamp(record["time"], datetime.timezone.utc)
        else:
            moment = record["pts"]
        seen.setdefault(label, []).append((moment, record.get("depth", label)))
if end is None:
    sys.exit("the stream was cut off")
if not seen:
    sys.exit("no record has a label")

figure, axes = plt.subplots(figsize=(10, 5), layout="constrained")
deep = all(isinstance(depth, float) for points in seen.values() for _, depth in points)
for label, points in sorted(seen.items()):
    axes.scatter(*zip(*points), s=14, label=label)
if deep:
    axes.invert_yaxis()
    axes.set_ylabel("depth, m")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
axes.set_xlabel("time, UTC" if isinstance(points[0][0], datetime.datetime) else "seconds")
figure.autofmt_xdate()
figure.savefig(sys.argv[2], dpi=100)
