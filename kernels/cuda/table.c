#include "base/err.h"
#include "kernels/cuda/cuda.h"

#define FILL(op) .op = sb_cuda_##op,

static const struct sb_ops table = {
    .version = SB_OPS_VERSION,
    .size = sizeof(struct sb_ops),
    .name = "cuda",
    SB_OPS_EACH(FILL)
};

__attribute__((visibility("default"))) const struct sb_ops *seabot_plugin(const char *program, bool quiet);

const struct sb_ops *seabot_plugin(const char *program, bool quiet)
{
    sb_error_inherit(program, quiet);
    return &table;
}
