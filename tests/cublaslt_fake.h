/* cuBLASLt and the part of CUDA that kernels/cuda/matmul.c and choose.c call, on host memory: products are computed by
 * plain loops from the descriptors as cuBLASLt's documentation reads them (columns first), and a clock stands in for
 * time. */
#ifndef SB_TESTS_CUBLASLT_FAKE_H
#define SB_TESTS_CUBLASLT_FAKE_H

#include "kernels/cuda/matmul.h"

#define FAKE_ALGORITHMS 3

struct fake {
    /* what the library is like */
    int algorithms;                 /* that it proposes */
    double cost[FAKE_ALGORITHMS];   /* milliseconds that each takes */
    bool in_place[FAKE_ALGORITHMS]; /* it can't add to a result that lies elsewhere */
    bool fails[FAKE_ALGORITHMS];    /* when it is run, in spite of the proposal */
    bool no_memory, no_graphs, captures;
    const char *gpu;
    /* what was done */
    int products, timings, own;
    int last;           /* the algorithm that ran last */
    uint32_t reduction; /* how sums that are split may be put together, as it was asked for last */
    double clock, graph;
    bool capturing; /* by choose.c itself */
};

extern struct fake fake;

void fake_reset(void);
void fake_spend(double ms); /* a piece of work that is timed takes so long */

#endif
