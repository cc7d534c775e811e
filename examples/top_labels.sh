#!/bin/sh
# The labels of an annotated stream, most frequent first: top_labels.sh labelled.sb   (needs jq)
sb-export jsonl -q "$1" | jq -r '.predicted[0][0] // empty' | sort | uniq -c | sort -rn
