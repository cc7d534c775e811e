/* The CUDA runtime of the stand-in: memory with guards, streams, events, graphs, so that device.c, transfer.c and
 * repeat.c run as they are.
 *
 * What is queued is done as late as it may be, when something that is waited for needs it ($CUSIM_ORDER forward); or
 * copies on a stream of their own are done as early as they may be (reverse); or streams go on at random (a number). So
 * what reuses memory too early, or reads what the program has changed since, gives other results. While no work is
 * done, no one may touch the device's memory.
 *
 * Environment: CUSIM_DEVICES, how many there are, 1; CUSIM_MEMORY, bytes that each has; CUSIM_SHARED, bytes of shared
 * memory that a block may have; CUSIM_LOST, the launch with which the device is lost, counted from 1. */
#include "tests/cuda_fake/runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <deque>
#include <mutex>
#include <vector>

#include "kernels/cuda/kernel.h"
#include "tests/cuda_fake/guarded.h"

#define FILLED ((size_t)1 << 20)

typedef std::function<void()> work;

struct item {
    work fn;             /* may be empty: */
    cusim_stream *after; /* waits until that stream has done `count` items */
    uint64_t count;
};

struct cusim_event {
    cusim_stream *stream; /* NULL: never recorded */
    uint64_t count;
};

struct cusim_graph {
    std::vector<work> all;
};

struct cusim_stream {
    std::deque<item> items;
    uint64_t queued, done;
    cusim_graph *captured; /* NULL: nothing is captured */
};

static std::recursive_mutex lock;
static std::vector<cusim_stream *> streams; /* the first is that of the ops */
static std::vector<guarded> memory, pinned;
static size_t used;
static void *scratch;
static int open_depth;
static cudaError_t broken; /* what every call gives from now on */
static uint64_t launches;

#define ENTER                                                                                                          \
    std::lock_guard<std::recursive_mutex> guard(lock);                                                                 \
    if (broken) return broken

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *value = getenv(name);
    return value ? strtoull(value, NULL, 10) : otherwise;
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

/* While one of these lives device memory can be touched. */
struct opened {
    opened()
    {
        if (!open_depth++) protect(PROT_READ | PROT_WRITE);
    }
    ~opened()
    {
        if (!--open_depth) protect(PROT_NONE);
    }
    static void protect(int how)
    {
        for (guarded &g : memory) guarded_protect(&g, how);
    }
};

static guarded *find(std::vector<guarded> &all, const void *p, size_t bytes)
{
    const unsigned char *at = (const unsigned char *)p;
    for (guarded &g : all) {
        if (at >= g.data && at + bytes <= g.data + g.bytes) return &g;
    }
    return NULL;
}

static void intact(const guarded *g)
{
    opened now;
    const char *wrong = guarded_wrong(g);
    if (wrong) cusim_fault("%zu bytes of device memory were written %s them", g->bytes, wrong);
}

static void want_device(const void *p, size_t bytes)
{
    if (!find(memory, p, bytes)) cusim_fault("%zu bytes at %p are no device memory", bytes, p);
}

static void remove(std::vector<guarded> &all, void *p)
{
    guarded *g = find(all, p, 0);
    if (!g || g->data != p) cusim_fault("frees %p, which was not given", p);
    guarded_free(g);
    *g = all.back();
    all.pop_back();
}

/* ---- streams ----------------------------------------------------------------------------------------------------- */

static void run(cusim_stream *s, uint64_t count)
{
    if (s->done >= count) return;
    opened now;
    while (s->done < count) {
        item next = s->items.front();
        s->items.pop_front();
        if (next.after) run(next.after, next.count);
        if (next.fn) next.fn();
        s->done++;
    }
}

static void go_on(cusim_stream *s)
{
    static uint64_t seed;
    const char *order = getenv("CUSIM_ORDER");
    if (!order || !strcmp(order, "forward")) return;
    if (!strcmp(order, "reverse")) {
        if (s != streams[0]) run(s, s->queued);
        return;
    }
    seed = (seed ? seed : strtoull(order, NULL, 10)) * 6364136223846793005u + 1442695040888963407u;
    cusim_stream *any = streams[(seed >> 33) % streams.size()];
    run(any, any->done + (seed >> 40) % (any->queued - any->done + 1));
}

static cudaError_t queue(cusim_stream *s, const item &next)
{
    if (s->captured) {
        if (next.after) return cudaErrorStreamCaptureUnsupported;
        s->captured->all.push_back(next.fn);
        return cudaSuccess;
    }
    s->items.push_back(next);
    s->queued++;
    go_on(s);
    return cudaSuccess;
}

void cusim_queue(cudaStream_t stream, const work &fn)
{
    std::lock_guard<std::recursive_mutex> guard(lock);
    if (++launches == setting("CUSIM_LOST", 0)) broken = cudaErrorLaunchFailure;
    if (!broken) queue(stream, {fn, NULL, 0});
}

static bool capturing(void)
{
    for (cusim_stream *s : streams) {
        if (s->captured) return true;
    }
    return false;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned)
{
    ENTER;
    streams.push_back(*stream = new cusim_stream());
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream)
{
    ENTER;
    if (capturing()) return cudaErrorStreamCaptureUnsupported;
    run(stream, stream->queued);
    return broken;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream)
{
    ENTER;
    run(stream, stream->queued);
    for (size_t i = 0; i < streams.size(); i++) {
        if (streams[i] == stream) streams.erase(streams.begin() + (long)i);
    }
    delete stream;
    return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned)
{
    ENTER;
    *event = new cusim_event();
    return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event)
{
    ENTER;
    delete event;
    return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream)
{
    ENTER;
    if (stream->captured) return cudaErrorStreamCaptureUnsupported;
    *event = {stream, stream->queued};
    return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event)
{
    ENTER;
    if (event->stream) run(event->stream, event->count);
    return broken;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned)
{
    ENTER;
    return event->stream ? queue(stream, {work(), event->stream, event->count}) : cudaSuccess;
}

/* ---- graphs ------------------------------------------------------------------------------------------------------ */

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, enum cudaStreamCaptureMode)
{
    ENTER;
    stream->captured = new cusim_graph();
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph)
{
    ENTER;
    *graph = stream->captured;
    stream->captured = NULL;
    return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *exec, cudaGraph_t graph, unsigned long long)
{
    ENTER;
    *exec = new cusim_graph(*graph);
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream)
{
    for (const work &fn : exec->all) cusim_queue(stream, fn);
    return broken;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph)
{
    delete graph;
    return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) { return cudaGraphDestroy(exec); }

/* ---- memory and copies ------------------------------------------------------------------------------------------- */

cudaError_t cudaMemGetInfo(size_t *left, size_t *all)
{
    ENTER;
    *all = setting("CUSIM_MEMORY", (uint64_t)1 << 40);
    *left = *all - used;
    return cudaSuccess;
}

/* Its beginning is full of NaNs, and with each that of the working memory, where an op left what it needs no more. */
cudaError_t cudaMalloc(void **p, size_t bytes)
{
    ENTER;
    if (capturing()) return cudaErrorStreamCaptureUnsupported;
    guarded g = {};
    if (bytes <= setting("CUSIM_MEMORY", (uint64_t)1 << 40) - used) g = guarded_make(bytes, 64);
    if (!g.data) return cudaErrorMemoryAllocation;
    opened now;
    memory.push_back(g);
    used += bytes;
    memset(g.data, 0xff, bytes < FILLED ? bytes : FILLED);
    if (bytes == SB_CUDA_SCRATCH) scratch = g.data;
    else if (scratch) queue(streams[0], {[] { memset(scratch, 0xff, FILLED); }, NULL, 0});
    *p = g.data;
    return cudaSuccess;
}

cudaError_t cudaFree(void *p)
{
    ENTER;
    if (!p) return cudaSuccess;
    for (cusim_stream *s : streams) run(s, s->queued);
    want_device(p, 0);
    intact(find(memory, p, 0));
    used -= find(memory, p, 0)->bytes;
    if (p == scratch) scratch = NULL;
    remove(memory, p);
    return cudaSuccess;
}

cudaError_t cudaMallocHost(void **p, size_t bytes)
{
    ENTER;
    pinned.push_back(guarded_make(bytes, 64));
    *p = pinned.back().data;
    return *p ? cudaSuccess : cudaErrorMemoryAllocation;
}

cudaError_t cudaFreeHost(void *p)
{
    ENTER;
    remove(pinned, p);
    return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void *p, int value, size_t bytes, cudaStream_t stream)
{
    ENTER;
    want_device(p, bytes);
    bool zeroed = !value && bytes > (size_t)1 << 30; /* as it came, and never to be touched as a whole */
    return zeroed ? cudaSuccess : queue(stream, {[=] { memset(p, value, bytes); }, NULL, 0});
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind, cudaStream_t stream)
{
    ENTER;
    const void *host = kind == cudaMemcpyHostToDevice ? from : kind == cudaMemcpyDeviceToHost ? to : NULL;
    if (host && stream->captured) return cudaErrorStreamCaptureUnsupported;
    if (host != to) want_device(to, bytes);
    if (host != from) want_device(from, bytes);
    if (host && find(memory, host, bytes)) cusim_fault("%p is device memory, not the host's", host);
    if (host && !find(pinned, host, bytes)) { /* done before this returns */
        run(stream, stream->queued);
        opened now;
        memcpy(to, from, bytes);
        return broken;
    }
    return queue(stream, {[=] { memcpy(to, from, bytes); }, NULL, 0});
}

/* ---- the device -------------------------------------------------------------------------------------------------- */

cudaError_t cudaGetLastError(void) { return broken; }
const char *cudaGetErrorString(cudaError_t status)
{
    return status == cudaErrorLaunchFailure ? "unspecified launch failure" : "an error";
}
cudaError_t cudaDriverGetVersion(int *version) { return *version = 13000, cudaSuccess; }
cudaError_t cudaRuntimeGetVersion(int *version) { return *version = 13000, cudaSuccess; }
cudaError_t cudaSetDevice(int) { return broken; }

cudaError_t cudaGetDeviceCount(int *count)
{
    *count = (int)setting("CUSIM_DEVICES", 1);
    return *count ? cudaSuccess : cudaErrorNoDevice;
}

cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *p, int)
{
    snprintf(p->name, sizeof p->name, "stand-in");
    return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int *value, enum cudaDeviceAttr attribute, int)
{
    const int values[] = {6, 9, 0, (int)setting("CUSIM_SHARED", 232448)};
    *value = values[attribute];
    return cudaSuccess;
}
