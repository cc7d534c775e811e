#include "kernels/ref/ref.h"

#define FILL(op) .op = sb_ref_##op,

const struct sb_ops sb_ops_ref = {
    .version = SB_OPS_VERSION,
    .size = sizeof(struct sb_ops),
    .name = "ref",
    .host = true,
    SB_OPS_EACH(FILL)
};
