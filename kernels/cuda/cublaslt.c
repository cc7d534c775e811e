#include "kernels/cuda/cublaslt.h"

#include "base/err.h"

static const char *const files[] = {"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so", NULL};
static const char *const functions[] = {SB_CUBLASLT_EACH(SB_LIBRARY_NAME) NULL};

const struct sb_cublaslt *sb_cublaslt_open(void)
{
    static struct sb_cublaslt lt;
    if (!lt.cublasLtCreate && !sb_library_open(files, functions, &lt)) {
        sb_die("no libcublasLt.so.13 or .12, which multiplies matrices on the GPU: install cuBLAS (libcublas-13-0 of "
               "NVIDIA's packages, libcublaslt12 of Debian's), name its folder in LD_LIBRARY_PATH, or use --device cpu");
    }
    return &lt;
}
