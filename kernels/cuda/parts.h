/* What device.c, transfer.c and repeat.c know of each other. */
#ifndef SB_KERNELS_CUDA_PARTS_H
#define SB_KERNELS_CUDA_PARTS_H

#include "kernels/cuda/cuda.h"

/* Makes d's GPU the one that this thread's CUDA calls are for. Ends the program within a repeated pass: a graph holds
 * ops alone. */
void sb_cuda_enter(const struct sb_dev *d, const char *what);

struct sb_cuda_transfers *sb_cuda_transfers_open(const struct sb_dev *d);
void sb_cuda_transfers_close(struct sb_dev *d);
/* The next prefetch waits for what is queued now. */
void sb_cuda_transfers_mark(struct sb_dev *d);

struct sb_cuda_graphs *sb_cuda_graphs_open(void);
void sb_cuda_graphs_close(struct sb_dev *d);
/* None of them is under way. */
void sb_cuda_graphs_forget(struct sb_dev *d);

#endif
