/* Finds the backend that a program computes on, and opens a device of it.
 *
 * "ref" is linked in; "cpu" and "cuda" are the plugins seabot-cpu.so and seabot-cuda.so, opened from $SEABOT_PLUGINS,
 * beside the program, or $(libdir)/seabot. "cuda:N" is the GPU of that number, "cuda" the first. A plugin with another
 * API version, table size or a hole in its table is refused. "auto": the best that answers: cuda, else cpu, else ref
 * with one warning. */
#ifndef SB_NN_BACKEND_H
#define SB_NN_BACKEND_H

#include "kernels/ops.h"

struct sb_backend {
    const struct sb_ops *ops;
    struct sb_dev *dev;
};

/* device NULL: "auto"; threads 0: sb_cores(). */
int sb_backend_open(struct sb_backend *b, const char *device, int threads);
/* The option --precision: whether to compute in bf16. "auto": where the device is fast at it. Another word than that,
 * "f32" and "bf16" is wrong usage. */
bool sb_backend_bf16(const struct sb_backend *b, const char *precision);
void sb_backend_close(struct sb_backend *b);

#endif
