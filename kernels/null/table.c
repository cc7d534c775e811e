#include "kernels/null/check.h"

#define FILL(op) .op = sb_null_##op,

const struct sb_ops sb_ops_null = {
    .version = SB_OPS_VERSION,
    .size = sizeof(struct sb_ops),
    .name = "null",
    SB_OPS_EACH(FILL)
};
