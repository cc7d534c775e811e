#include "kernels/cuda/library.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static bool open_one(const char *file, const char *const *functions, void *calls)
{
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (!library) return false;
    char *to = calls;
    for (; *functions; functions++, to += sizeof(void *)) {
        void *address = dlsym(library, *functions);
        if (!address) {
            dlclose(library);
            return false;
        }
        memcpy(to, &address, sizeof address);
    }
    return true;
}

bool sb_library_open(const char *const *files, const char *const *functions, void *calls)
{
    for (int i = 0; files[i]; i++) {
        if (open_one(files[i], functions, calls)) return true;
    }
    const char *home = getenv("CUDA_HOME");
    if (!home || !*home) home = "/usr/local/cuda";
    bool found = false;
    for (int i = 0; files[i] && !found; i++) {
        char *path = sb_format("%s/lib64/%s", home, files[i]);
        found = open_one(path, functions, calls);
        free(path);
    }
    return found;
}
