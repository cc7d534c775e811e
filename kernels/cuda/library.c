#include "kernels/cuda/library.h"

#include <dlfcn.h>
#include <string.h>

bool sb_library_open(const char *const *files, const char *const *functions, void *calls)
{
    for (; *files; files++) {
        void *library = dlopen(*files, RTLD_NOW | RTLD_LOCAL);
        if (!library) continue;
        char *to = calls;
        const char *const *name = functions;
        for (; *name; name++, to += sizeof(void *)) {
            void *address = dlsym(library, *name);
            if (!address) break;
            memcpy(to, &address, sizeof address);
        }
        if (!*name) return true;
        dlclose(library);
    }
    return false;
}
