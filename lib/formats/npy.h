/* Arrays of many records as one NumPy file (.npy, format 1.0 of NEP 1): [N, ...] in C order, written as they come. N
 * stands in the header, so it is written again at the end. */
#ifndef SB_FORMATS_NPY_H
#define SB_FORMATS_NPY_H

#include <stdbool.h>
#include <stdio.h>

#include "base/tensor.h"

/* A zeroed one is a file with nothing in it yet. */
struct sb_npy {
    struct sb_tensor one; /* dtype and shape of every record's */
    bool begun;
    uint64_t rows;
};

/* Appends an array to `out`, which must be able to seek. bf16, which NumPy lacks, becomes f32. -1 with a message if its
 * dtype or shape is not the first one's. */
int sb_npy_add(struct sb_npy *npy, FILE *out, const struct sb_tensor *t);
/* The header with its N; a file without a record is an empty f32 [0]. -1 with a message if `out` can't seek. */
int sb_npy_end(struct sb_npy *npy, FILE *out);

#endif
