#include "kernels/cuda/cublaslt.h"

#include <stdlib.h>

#include "base/err.h"

static const char *const functions[] = {SB_CUBLASLT_EACH(SB_LIBRARY_NAME) NULL};

/* As the loader finds it, then where CUDA's own installer puts it. */
static bool open_anywhere(struct sb_cublaslt *lt)
{
    static const char *const versions[] = {"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so", NULL};
    if (sb_library_open(versions, functions, lt)) return true;
    const char *home = getenv("CUDA_HOME");
    if (!home || !*home) home = "/usr/local/cuda";
    bool found = false;
    for (int i = 0; versions[i] && !found; i++) {
        char *path = sb_format("%s/lib64/%s", home, versions[i]);
        found = sb_library_open((const char *const[]){path, NULL}, functions, lt);
        free(path);
    }
    return found;
}

const struct sb_cublaslt *sb_cublaslt_open(void)
{
    static struct sb_cublaslt lt;
    if (!lt.cublasLtCreate && !open_anywhere(&lt)) {
        sb_die("no libcublasLt.so.13 or .12, which multiplies matrices on the GPU: install cuBLAS (libcublas-13-0 of "
               "NVIDIA's packages, libcublaslt12 of Debian's), name its folder in LD_LIBRARY_PATH, or use --device cpu");
    }
    return &lt;
}
