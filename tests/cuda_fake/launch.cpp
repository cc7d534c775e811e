#include "tests/cuda_fake/launch.h"

#define WARPS 32 /* of a block, at most */

/* Where entries of kernels lie, each one byte before its code for every warp that it is bound to (language.h). */
extern "C" __attribute__((weak, visibility("hidden"))) const char *const __start___patchable_function_entries[];
extern "C" __attribute__((weak, visibility("hidden"))) const char *const __stop___patchable_function_entries[];

static unsigned bound_of(const void *kernel)
{
    for (const char *const *p = __start___patchable_function_entries; p < __stop___patchable_function_entries; p++) {
        int64_t before = (const char *)kernel - *p;
        if (before > 0 && before <= WARPS) return (unsigned)before * 32;
    }
    return WARPS * 32;
}

void cusim_launch(struct sb_dev *d, const void *kernel, const cusim_grid &g)
{
    uint64_t threads = (uint64_t)g.block.x * g.block.y * g.block.z;
    if (!g.grid.x || !g.grid.y || !g.grid.z || !threads) cusim_fault("%s is launched with nothing", g.name);
    if (g.grid.x > INT32_MAX || g.grid.y > 65535 || g.grid.z > 65535)
        cusim_fault("%s is launched with %u x %u x %u blocks", g.name, g.grid.x, g.grid.y, g.grid.z);
    if (threads > bound_of(kernel) || g.block.z > 64) {
        cusim_fault("%s is launched with %u x %u x %u threads; its bound is %u", g.name, g.block.x, g.block.y,
                    g.block.z, bound_of(kernel));
    }
    if (g.shared > g.shared_most) cusim_fault("%s asks for %zu bytes of shared memory", g.name, g.shared);
    cusim_queue(d->stream, [g] { cusim_run(g); });
}
