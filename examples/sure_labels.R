#!/usr/bin/env Rscript
# How sure the classifier was of what, from JSON lines, which hold lists as they are:
#
#     sb-export jsonl labelled.sb | Rscript sure_labels.R
#
# Needs the package jsonlite (Debian: r-cran-jsonlite).
suppressPackageStartupMessages(library(jsonlite))
records <- stream_in(file("stdin"), simplifyVector = FALSE, verbose = FALSE)

# Each record's `predicted` is a list of [label, probability], the best first.
best <- lapply(records, function(record) if (length(record$predicted)) record$predicted[[1]])
best <- Filter(Negate(is.null), best)
label <- vapply(best, function(pair) pair[[1]], "")
probability <- vapply(best, function(pair) as.numeric(pair[[2]]), 0)

print(aggregate(list(probability = probability), list(label = label), function(p) round(c(n = length(p), median = median(p), lowest = min(p)), 3)))
