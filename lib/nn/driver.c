#include "nn/driver.h"

#include <dlfcn.h>
#include <string.h>

#include "base/err.h"

#define NO_DEVICE 100 /* CUDA_ERROR_NO_DEVICE */

typedef int (*init_fn)(unsigned flags);
typedef int (*count_fn)(int *count);

int sb_driver_gpus(void)
{
    void *driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL); /* never closed: it may have begun threads */
    if (!driver) return sb_error("no NVIDIA driver (libcuda.so.1) on this machine"), 0;
    void *symbol[] = {dlsym(driver, "cuInit"), dlsym(driver, "cuDeviceGetCount")};
    if (!symbol[0] || !symbol[1]) return sb_error("libcuda.so.1 is no NVIDIA driver"), 0;
    init_fn init;
    count_fn get_count;
    memcpy(&init, &symbol[0], sizeof init);
    memcpy(&get_count, &symbol[1], sizeof get_count);
    int count = 0, status = init(0);
    if (!status) status = get_count(&count);
    if (status && status != NO_DEVICE) return sb_error("the NVIDIA driver fails with error %d", status), 0;
    if (status || count < 1)
        return sb_error("the NVIDIA driver finds no GPU (or CUDA_VISIBLE_DEVICES hides them)"), 0;
    return count;
}
