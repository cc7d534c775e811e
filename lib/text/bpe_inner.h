/* What bpe.c, bpe_encode.c and bpe_file.c share. */
#ifndef SB_TEXT_BPE_INNER_H
#define SB_TEXT_BPE_INNER_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "text/bpe.h"

struct sb_bpe_merge {
    int32_t left, right, merged; /* tokens */
};

struct sb_bpe {
    struct sb_dictionary token;
    char *merges;
    int32_t byte[256];          /* the token that each byte is */
    struct sb_bpe_merge *merge; /* [merge_count], by rank */
    size_t merge_count, merge_cap;
    uint32_t *slot; /* open addressing by (left, right): rank + 1, 0 is empty */
    size_t slots;
    pcre2_code *pattern;
};

/* The rank of a pair, or -1: it is not merged. */
int64_t sb_bpe_rank(const struct sb_bpe *b, int32_t left, int32_t right);

#endif
