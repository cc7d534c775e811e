/* Launches on the stand-in: what a GPU would refuse ends the program, the rest is queued. */
#ifndef SB_TESTS_CUDA_FAKE_LAUNCH_H
#define SB_TESTS_CUDA_FAKE_LAUNCH_H

#include "kernels/cuda/cuda.h"
#include "tests/cusim/cusim.h"

/* Work for a stream; it is done when it must be (runtime.cpp). */
void cusim_queue(cudaStream_t stream, const std::function<void()> &work);
void cusim_launch(struct sb_dev *d, const void *kernel, const cusim_grid &grid);

template <typename... Parameters, typename... Arguments>
static inline void sb_launch(struct sb_dev *d, const char *name, void (*kernel)(Parameters...), dim3 grid, dim3 block,
                             size_t shared, Arguments... arguments)
{
    static_assert((sizeof(Parameters) + ... + 0) <= 4096, "a kernel takes 4 KB of parameters");
    cusim_launch(d, (const void *)kernel, {name, grid, block, shared, d->shared_most, [=] { kernel(arguments...); }});
}

#endif
