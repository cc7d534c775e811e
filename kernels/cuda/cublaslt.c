#include "kernels/cuda/cublaslt.h"

#include <stddef.h>

#include "base/err.h"

const struct sb_cublaslt *sb_cublaslt_open(void)
{
    static const char *const files[] = {"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so", NULL};
    static const char *const functions[] = {SB_CUBLASLT_EACH(SB_LIBRARY_NAME) NULL};
    static struct sb_cublaslt lt;
    static bool opened;
    if (!opened && !sb_library_open(files, functions, &lt)) {
        sb_die("no libcublasLt.so.13 or .12, which multiplies matrices on the GPU: install cuBLAS of CUDA 13 or "
               "12 (NVIDIA's package libcublas-13-0), name its folder in LD_LIBRARY_PATH, or use --device cpu");
    }
    opened = true;
    return &lt;
}
