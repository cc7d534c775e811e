/* The device of the stand-in: memory with guards, passes that are captured and replayed.
 *
 * Work lags behind the program as far as it may: it is done when something is waited for. Prefetches run ahead of it as
 * far as they may. So what reuses memory too early, or reads what the program has changed since, gives other results.
 * Where no work is done, no one may touch the device's memory.
 * Environment: CUSIM_MEMORY, bytes that there are in all. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "kernels/cuda/convolution.h"
#include "kernels/cuda/kernel.h"
#include "tests/cusim/guarded.h"

struct sb_cuda_transfers {
    std::vector<guarded> memory;
    size_t used, all;
    std::shared_ptr<std::vector<unsigned char>> fetched[SB_FETCH_SLOTS];
    uint64_t fetch[SB_FETCH_SLOTS]; /* pieces of work up to and with this slot's last fetch */
    uint64_t queued, done, prefetched; /* pieces of work; those before the last prefetch */
    std::deque<std::function<void()>> work;
    std::recursive_mutex lock; /* one thread may fetch while another queues */
    int open;
};

/* What a pass queued, by its key and argument. An empty list: it has been called once. */
struct sb_cuda_graphs {
    std::map<std::pair<uint64_t, void *>, std::vector<std::function<void()>>> passes;
    std::vector<std::function<void()>> *capturing;
};

static struct sb_cuda_graphs graphs;
static struct sb_cuda_transfers *transfers; /* there is one device at a time */

/* While one of these lives device memory can be touched. */
struct opened {
    std::lock_guard<std::recursive_mutex> guard;
    opened() : guard(transfers->lock)
    {
        if (!transfers->open++) protect(PROT_READ | PROT_WRITE);
    }
    ~opened()
    {
        if (!--transfers->open) protect(PROT_NONE);
    }
    static void protect(int how)
    {
        for (auto &g : transfers->memory) guarded_protect(&g, how);
    }
};

void cusim_queue(const std::function<void()> &work)
{
    std::lock_guard<std::recursive_mutex> guard(transfers->lock);
    if (graphs.capturing) return graphs.capturing->push_back(work);
    transfers->work.push_back(work);
    transfers->queued++;
}

static void work_until(uint64_t piece)
{
    std::lock_guard<std::recursive_mutex> guard(transfers->lock);
    if (transfers->done >= piece) return;
    opened memory;
    for (; transfers->done < piece; transfers->done++) {
        auto work = transfers->work.front();
        transfers->work.pop_front();
        work();
    }
}

bool sb_cuda_captures(const struct sb_dev *d) { return d->graphs->capturing != nullptr; }

void sb_cuda_check(const struct sb_dev *d, cudaError_t status, const char *what)
{
    if (status) cusim_fault("GPU %d: %s: error %d", d->index, what, status);
}

void sb_cuda_repeat(struct sb_dev *d, uint64_t key, void (*fn)(void *arg), void *arg)
{
    auto found = d->graphs->passes.find({key, arg});
    if (found == d->graphs->passes.end()) {
        fn(arg);
        d->graphs->passes[{key, arg}] = {};
        return;
    }
    auto &pass = found->second;
    if (pass.empty()) {
        d->graphs->capturing = &pass;
        fn(arg);
        d->graphs->capturing = nullptr;
    }
    for (auto &work : pass) cusim_queue(work);
}

struct sb_dev *sb_cuda_open(int index, int threads, const char **why)
{
    (void)threads;
    const char *devices = getenv("CUSIM_DEVICES"), *all = getenv("CUSIM_MEMORY");
    if (index < 0 || index >= (devices ? atoi(devices) : 1)) {
        if (why) *why = "there is no such device";
        return NULL;
    }
    struct sb_dev *d = new sb_dev();
    d->index = index, d->processors = 6, d->major = 9, d->minor = 0, d->shared_most = 232448;
    d->graphs = &graphs;
    d->transfers = transfers = new sb_cuda_transfers();
    d->transfers->all = all ? strtoull(all, NULL, 10) : (size_t)1 << 40;
    d->scratch = sb_cuda_alloc(d, SB_CUDA_SCRATCH);
    return d;
}

static void intact(const guarded &g)
{
    const char *wrong = guarded_wrong(&g);
    if (wrong) cusim_fault("a kernel wrote %s %zu bytes of device memory", wrong, g.bytes);
}

void sb_cuda_close(struct sb_dev *d)
{
    if (!d) return;
    work_until(transfers->queued);
    opened::protect(PROT_READ | PROT_WRITE);
    for (auto &g : d->transfers->memory) intact(g), guarded_free(&g);
    delete d->transfers;
    d->graphs->passes.clear();
    delete d;
}

bool sb_cuda_fast_bf16(struct sb_dev *) { return true; }

size_t sb_cuda_memory(struct sb_dev *d, size_t *all)
{
    if (all) *all = d->transfers->all;
    return d->transfers->all - d->transfers->used;
}

void *sb_cuda_alloc(struct sb_dev *d, size_t bytes)
{
    if (bytes > d->transfers->all - d->transfers->used) return NULL;
    guarded g = guarded_make(bytes, 64);
    if (!g.data) return NULL;
    opened memory;
    if (d->scratch) memset(d->scratch, 0xff, (size_t)1 << 20); /* who reads what another op left reads NaNs */
    d->transfers->memory.push_back(g);
    d->transfers->used += bytes;
    return g.data;
}

void sb_cuda_release(struct sb_dev *d, void *p)
{
    work_until(transfers->queued);
    opened memory;
    d->graphs->passes.clear();
    for (auto &g : d->transfers->memory) {
        if (!p || g.data != p) continue;
        intact(g);
        d->transfers->used -= g.bytes;
        guarded_free(&g);
        g = d->transfers->memory.back();
        d->transfers->memory.pop_back();
        return;
    }
    if (p) cusim_fault("releases %p, which alloc did not give", p);
}

/* Copies between host and device: not in a captured pass, and only of memory that the device has. */
static void device_memory(struct sb_dev *d, const void *p, size_t bytes)
{
    opened memory;
    if (d->graphs->capturing) cusim_fault("copies to or from the host while a pass is captured");
    for (auto &g : d->transfers->memory) {
        const unsigned char *at = (const unsigned char *)p;
        if (at >= g.data && at + bytes <= g.data + g.bytes) return intact(g);
    }
    if (bytes) cusim_fault("copies %zu bytes to or from %p, which is no device memory", bytes, p);
}

void sb_cuda_upload(struct sb_dev *d, void *to, const void *from_host, size_t bytes)
{
    device_memory(d, to, bytes);
    std::vector<unsigned char> kept((const unsigned char *)from_host, (const unsigned char *)from_host + bytes);
    cusim_queue([=] { std::copy(kept.begin(), kept.end(), (unsigned char *)to); });
}

void sb_cuda_download(struct sb_dev *d, void *to_host, const void *from, size_t bytes)
{
    device_memory(d, from, bytes);
    work_until(transfers->queued);
    opened memory;
    if (bytes) memcpy(to_host, from, bytes);
}

void sb_cuda_prefetch(struct sb_dev *d, void *to, const void *from_host, size_t bytes)
{
    device_memory(d, to, bytes);
    work_until(transfers->prefetched);
    opened memory;
    if (bytes) memcpy(to, from_host, bytes);
    transfers->prefetched = transfers->queued;
}

/* What the slot held before is lost at once. */
void sb_cuda_fetch(struct sb_dev *d, int slot, const void *from, size_t bytes)
{
    device_memory(d, from, bytes);
    auto &old = transfers->fetched[slot];
    if (old) std::fill(old->begin(), old->end(), 0xff);
    auto to = old = std::make_shared<std::vector<unsigned char>>(bytes + 1, 0xff);
    cusim_queue([=] { memcpy(to->data(), from, bytes); });
    transfers->fetch[slot] = transfers->queued;
}

const void *sb_cuda_fetched(struct sb_dev *, int slot)
{
    work_until(transfers->fetch[slot]);
    return transfers->fetched[slot] ? transfers->fetched[slot]->data() : NULL;
}

void sb_cuda_wait(struct sb_dev *) { work_until(transfers->queued); }

cudaError_t cudaMemsetAsync(void *p, int value, size_t bytes, cudaStream_t)
{
    cusim_queue([=] { memset(p, value, bytes); });
    return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind, cudaStream_t)
{
    cusim_queue([=] { memcpy(to, from, bytes); });
    return cudaSuccess;
}

/* ---- convolution, which cuDNN does on a GPU ---------------------------------------------------------------------- */

/* Adds to[i] from the two others for every use of a weight. */
static void convolve(sb_convolve what, const struct sb_convolution *c, const double *x, const double *w, const double *y,
                     double *to)
{
    for (int64_t out = 0; out < c->b * c->oh * c->ow; out++) {
        for (int64_t tap = 0; tap < c->kh * c->kw; tap++) {
            int64_t iy = out / c->ow % c->oh * c->stride - c->pad + tap / c->kw,
                    ix = out % c->ow * c->stride - c->pad + tap % c->kw, b = out / c->ow / c->oh;
            if (iy < 0 || iy >= c->h || ix < 0 || ix >= c->w) continue;
            int64_t in = ((b * c->h + iy) * c->w + ix) * c->i;
            for (int64_t o = 0; o < c->o; o++) {
                int64_t weight = (o * c->kh * c->kw + tap) * c->i, at = out * c->o + o;
                for (int64_t i = 0; i < c->i; i++) {
                    if (what == SB_CONVOLVE) to[at] += x[in + i] * w[weight + i];
                    else if (what == SB_CONVOLVE_DATA) to[in + i] += y[at] * w[weight + i];
                    else to[weight + i] += y[at] * x[in + i];
                }
            }
        }
    }
}

static std::vector<double> load(enum sb_dtype dtype, const void *p, int64_t n)
{
    std::vector<double> to((size_t)n);
    for (size_t i = 0; i < to.size(); i++)
        to[i] = dtype == SB_BF16 ? sb_bf16_to_f32(((const uint16_t *)p)[i]) : ((const float *)p)[i];
    return to;
}

bool sb_cudnn_convolve(struct sb_dev *, enum sb_convolve what, const struct sb_convolution *shape, void *x, void *w,
                       void *y)
{
    struct sb_convolution c = *shape;
    cusim_queue([=] {
        int64_t size[3] = {c.b * c.oh * c.ow * c.o, c.b * c.h * c.w * c.i, c.o * c.kh * c.kw * c.i};
        void *target[3] = {y, x, w};
        std::vector<double> to((size_t)size[what]), xs = load(c.dtype, x, size[1]), ws = load(c.dtype, w, size[2]),
                                                   ys = load(c.dtype, y, size[0]);
        convolve(what, &c, xs.data(), ws.data(), ys.data(), to.data());
        for (size_t i = 0; i < to.size(); i++) {
            if (c.dtype == SB_BF16) ((uint16_t *)target[what])[i] = sb_f32_to_bf16((float)to[i]);
            else ((float *)target[what])[i] = (float)to[i];
        }
    });
    return true;
}
