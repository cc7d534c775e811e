#include "nn/backend.h"

#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/opt.h"
#include "nn/driver.h"

/* The folder that the program itself lies in, without a slash at its end; the caller frees. */
static char *program_folder(void)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0) return sb_strdup(".");
    path[n] = 0;
    char *slash = strrchr(path, '/');
    if (slash) *slash = 0;
    return sb_strdup(slash == path ? "/" : path);
}

/* The plugin's path: in $SEABOT_PLUGINS where that is set, else beside the program, else in lib/seabot beside the
 * program's folder, which is where `make install` puts it whatever the prefix. NULL and a recorded error if there is
 * none. */
static char *find_plugin(const char *file)
{
    const char *named = getenv("SEABOT_PLUGINS");
    if (named && *named) {
        char *path = sb_format("%s/%s", named, file);
        if (access(path, R_OK) == 0) return path;
        sb_error("%s: %s", path, strerror(errno));
        free(path);
        return NULL;
    }
    char *folder = program_folder(), *found = NULL;
    char *place[] = {sb_format("%s/%s", folder, file), sb_format("%s/../lib/seabot/%s", folder, file)};
    for (size_t i = 0; i < sizeof place / sizeof *place; i++) {
        if (!found && access(place[i], R_OK) == 0)
            found = place[i];
        else
            free(place[i]);
    }
    if (!found) sb_error("no %s beside the program, in ../lib/seabot or in $SEABOT_PLUGINS", file);
    free(folder);
    return found;
}

static bool has_plugin(const char *file)
{
    char *path = find_plugin(file);
    free(path);
    return path != NULL;
}

/* All behind the name is function pointers: one that is missing would be found in the middle of a run. */
static bool has_hole(const struct sb_ops *ops)
{
    const char *first = (const char *)&ops->open, *end = (const char *)ops + sizeof *ops;
    for (const char *p = first; p < end; p += sizeof(void (*)(void))) {
        void (*fn)(void);
        memcpy(&fn, p, sizeof fn);
        if (!fn) return true;
    }
    return false;
}

static int load_plugin(struct sb_backend *b, const char *path)
{
    /* Threads that spin lose badly to a neighbour on the same core; OpenMP reads this when it is loaded, not later. */
    setenv("GOMP_SPINCOUNT", "1000", 0);
    /* Never closed: the threads of its OpenMP runtime live as long as the program. */
    void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!plugin) return sb_error("%s", dlerror());
    void *symbol = dlsym(plugin, SB_PLUGIN_SYMBOL);
    if (!symbol) return sb_error("%s: not a plugin of SeaBot", path);
    sb_plugin_fn get;
    memcpy(&get, &symbol, sizeof get);
    const struct sb_ops *ops = get(sb_program, sb_quiet);
    if (!ops) return sb_error("%s: it has no op table", path);
    if (ops->version != SB_OPS_VERSION || ops->size != sizeof *ops) {
        return sb_error("%s: it was built for another version of SeaBot (table %u of %u bytes, wanted %u of %zu)", path,
                        ops->version, ops->size, SB_OPS_VERSION, sizeof *ops);
    }
    if (has_hole(ops)) return sb_error("%s: its op table has a hole", path);
    b->ops = ops;
    return 0;
}

static int open_device(struct sb_backend *b, int index, int threads)
{
    const char *why = "no device answers";
    b->dev = b->ops->open(index, threads ? threads : sb_cores(), &why);
    return b->dev ? 0 : sb_error("device %s: %s", b->ops->name, why);
}

static int open_plugin(struct sb_backend *b, const char *file, int index, int threads)
{
    char *path = find_plugin(file);
    if (!path) return -1;
    int rc = load_plugin(b, path);
    free(path);
    return rc ? rc : open_device(b, index, threads);
}

static int open_ref(struct sb_backend *b, int threads)
{
    b->ops = &sb_ops_ref;
    return open_device(b, 0, threads);
}

static int open_cpu(struct sb_backend *b, int threads)
{
    return open_plugin(b, "seabot-cpu.so", 0, threads);
}

/* name: "cuda" or "cuda:N". The plugin is opened only after a GPU has answered. */
static int open_cuda(struct sb_backend *b, const char *name, int threads)
{
    char *end = (char *)(uintptr_t)name + strlen("cuda");
    bool numbered = *end == ':' && isdigit((unsigned char)end[1]);
    long index = numbered ? strtol(end + 1, &end, 10) : 0;
    if (*end) return sb_error("no device '%s': a GPU is cuda or cuda:N, N counted from 0", name);
    int count = sb_driver_gpus();
    if (!count) return sb_error("device %s: %s: use --device cpu or auto", name, sb_error_message());
    if (index >= count && count == 1) return sb_error("device %s: there is one GPU, cuda:0", name);
    if (index >= count) return sb_error("device %s: there are %d GPUs, cuda:0 to cuda:%d", name, count, count - 1);
    if (!has_plugin("seabot-cuda.so"))
        return sb_error("device %s: %s: make builds it where nvcc is", name, sb_error_message());
    return open_plugin(b, "seabot-cuda.so", (int)index, threads);
}

/* A machine without a GPU, or a SeaBot that was built without nvcc, is as it should be: not a word. */
static bool try_cuda(struct sb_backend *b, int threads)
{
    if (!has_plugin("seabot-cuda.so") || !sb_driver_gpus()) return false;
    if (open_plugin(b, "seabot-cuda.so", 0, threads) == 0) return true;
    sb_warn("%s: computing on the processor", sb_error_message());
    memset(b, 0, sizeof *b);
    return false;
}

static int open_auto(struct sb_backend *b, int threads)
{
    if (try_cuda(b, threads) || open_cpu(b, threads) == 0) return 0;
    sb_warn("%s: computing with the slow reference kernels", sb_error_message());
    memset(b, 0, sizeof *b);
    return open_ref(b, threads);
}

int sb_backend_open(struct sb_backend *b, const char *device, int threads)
{
    memset(b, 0, sizeof *b);
    if (!device || !strcmp(device, "auto")) return open_auto(b, threads);
    if (!strcmp(device, "cpu")) return open_cpu(b, threads);
    if (!strcmp(device, "ref")) return open_ref(b, threads);
    if (!strncmp(device, "cuda", 4) && (!device[4] || device[4] == ':')) return open_cuda(b, device, threads);
    return sb_error("no device '%s': there are auto, cpu, cuda, cuda:N and ref", device);
}

bool sb_backend_bf16(const struct sb_backend *b, const char *precision)
{
    if (!strcmp(precision, "auto")) return b->ops->fast_bf16(b->dev);
    if (strcmp(precision, "f32") && strcmp(precision, "bf16"))
        sb_usage("--precision is auto, f32 or bf16, not '%s'", precision);
    return !strcmp(precision, "bf16");
}

void sb_backend_close(struct sb_backend *b)
{
    if (b->dev) b->ops->close(b->dev);
    memset(b, 0, sizeof *b);
}
