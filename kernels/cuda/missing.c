/* Until every op is there, the plugin links all the same: what is called and is not there ends the program. */
#include "base/err.h"
#include "kernels/each.h"

#define MISSING(op)                                                                                                    \
    void sb_cuda_##op(void);                                                                                           \
    __attribute__((weak)) void sb_cuda_##op(void) { sb_die(#op " is not there on cuda yet"); }
SB_OPS_EACH(MISSING)
