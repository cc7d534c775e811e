/* Passes that are repeated: the first call of a key and argument runs as any call (libraries open, plans are made, ways
 * are timed), the second is captured as a graph, and from then on the graph is launched: one call instead of hundreds.
 * A pass that can't be captured is called each time. */
#include <stdlib.h>

#include "base/err.h"
#include "kernels/cuda/parts.h"

#define PASSES 64 /* kept at once; then the one that was used least lately makes room */

struct pass {
    uint64_t key, used; /* used: when, counted in calls; 0: no pass */
    void *arg;
    bool refused;         /* it can't be captured */
    cudaGraphExec_t exec; /* NULL: it ran once */
};

struct sb_cuda_graphs {
    bool capturing;
    uint64_t calls;
    struct pass pass[PASSES];
};

struct sb_cuda_graphs *sb_cuda_graphs_open(void)
{
    return sb_calloc(1, sizeof(struct sb_cuda_graphs));
}

static void forget(struct pass *p)
{
    if (p->exec) cudaGraphExecDestroy(p->exec);
    *p = (struct pass){0};
}

void sb_cuda_graphs_forget(struct sb_dev *d)
{
    for (int i = 0; i < PASSES; i++) forget(&d->graphs->pass[i]);
}

void sb_cuda_graphs_close(struct sb_dev *d)
{
    sb_cuda_graphs_forget(d);
    free(d->graphs);
    d->graphs = NULL;
}

bool sb_cuda_captures(const struct sb_dev *d)
{
    return d->graphs && d->graphs->capturing;
}

/* The pass, or the place for it. */
static struct pass *find(struct sb_cuda_graphs *g, uint64_t key, void *arg)
{
    struct pass *oldest = g->pass;
    for (int i = 0; i < PASSES; i++) {
        struct pass *p = &g->pass[i];
        if (p->used && p->key == key && p->arg == arg) return p;
        if (p->used < oldest->used) oldest = p;
    }
    return oldest;
}

/* Only this thread's calls are captured, and only its own are held to what a capture allows: others read results
 * meanwhile. */
static cudaGraphExec_t capture(struct sb_dev *d, void (*fn)(void *arg), void *arg)
{
    cudaGraph_t graph = NULL;
    cudaGraphExec_t exec = NULL;
    sb_cuda_check(d, cudaStreamBeginCapture(d->stream, cudaStreamCaptureModeThreadLocal), "capturing a pass");
    d->graphs->capturing = true;
    fn(arg);
    d->graphs->capturing = false;
    cudaError_t status = cudaStreamEndCapture(d->stream, &graph);
    if (!status) status = cudaGraphInstantiate(&exec, graph, 0);
    if (graph) cudaGraphDestroy(graph);
    if (!status) return exec;
    (void)cudaGetLastError();
    return NULL;
}

void sb_cuda_repeat(struct sb_dev *d, uint64_t key, void (*fn)(void *arg), void *arg)
{
    sb_cuda_enter(d, "repeat");
    struct pass *p = find(d->graphs, key, arg);
    bool known = p->used && p->key == key && p->arg == arg;
    if (!known) {
        if (p->exec) sb_cuda_wait(d);
        forget(p);
        *p = (struct pass){.key = key, .arg = arg};
    }
    p->used = ++d->graphs->calls;
    if (known && !p->exec && !p->refused) {
        p->exec = capture(d, fn, arg);
        p->refused = !p->exec;
    }
    if (p->exec)
        sb_cuda_check(d, cudaGraphLaunch(p->exec, d->stream), "computing");
    else
        fn(arg);
}
