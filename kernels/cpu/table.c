#include "kernels/cpu/cpu.h"

#define FIELD(op) .op = sb_cpu_##op,

const struct sb_ops SB_CPU_TABLE = {
    .version = SB_OPS_VERSION, .size = sizeof(struct sb_ops), .name = "cpu", .host = true, SB_OPS_EACH(FIELD)};
