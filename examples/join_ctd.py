#!/usr/bin/env python3
"""What the water was like where something was seen: each record gets the nearest reading of a CTD's log.

    sb-export csv --columns id,time labelled.sb | join_ctd.py ctd.csv >readings.csv
    sb-join readings.csv labelled.sb -o with_ctd.sb

ctd.csv has a column time (ISO 8601, UTC) and any others: temperature, salinity, oxygen. They become fields of those names.
Readings further off than 10 s are not taken. Needs pandas. (For position and depth sb-frames --nav does this, between two fixes.)
"""
import sys

import pandas


def table(source):
    rows = pandas.read_csv(source, dtype={"id": str})
    rows["time"] = pandas.to_datetime(rows["time"], utc=True, format="ISO8601").astype("datetime64[ns, UTC]")
    return rows.dropna(subset=["time"]).sort_values("time")


records, readings = table(sys.stdin), table(sys.argv[1])
joined = pandas.merge_asof(records, readings, on="time", direction="nearest", tolerance=pandas.Timedelta(seconds=10))
found = joined.dropna(how="all", subset=readings.columns.drop("time"))
print("%d of %d records have a reading" % (len(found), len(joined)), file=sys.stderr)
found.drop(columns="time").to_csv(sys.stdout, index=False)
