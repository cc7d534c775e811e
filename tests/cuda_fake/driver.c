/* A driver, libcuda.so.1, that says there are devices: $CUSIM_DEVICES, by default 1. */
#include <stdlib.h>

int cuInit(unsigned flags) { return flags ? 1 : 0; }

int cuDeviceGetCount(int *count)
{
    const char *devices = getenv("CUSIM_DEVICES");
    *count = devices ? atoi(devices) : 1;
    return *count ? 0 : 100; /* CUDA_ERROR_NO_DEVICE */
}
