/* Between host and device. A copy runs beside the program only from pinned memory, so what is uploaded is first copied
 * to a ring of it, piece by piece: the caller's memory is free again on return. Each ring belongs to one stream, so its
 * pieces are done in order.
 *
 * Prefetches have a stream of their own. A copy waits for all that was queued before the last prefetch (`mark`, an
 * event on the ops' stream, which each prefetch records anew once its own copy waits for the old one), and ops that are
 * queued later wait for the copy (`copied`). So with two buffers in turn, the copy to one runs beside the ops on the
 * other. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "kernels/cuda/parts.h"

#define RING ((size_t)16 << 20)
#define PIECE ((size_t)4 << 20) /* the largest; at 25 GB/s 0.2 ms */
#define PIECES 64               /* under way at most */
#define ALIGN ((size_t)64)

struct piece {
    size_t begin, end;
    cudaEvent_t done;
};

struct ring {
    cudaStream_t stream;
    char *memory; /* pinned; NULL until it is needed */
    size_t at;    /* where the next piece goes */
    struct piece piece[PIECES];
    unsigned first, count; /* of those that may be under way, oldest first */
};

struct slot {
    void *memory; /* pinned */
    size_t size;
    cudaEvent_t done;
};

struct sb_cuda_transfers {
    struct ring uploads, prefetches;
    cudaEvent_t mark, copied;
    struct slot slot[SB_FETCH_SLOTS];
};

static void make_event(const struct sb_dev *d, cudaEvent_t *event)
{
    sb_cuda_check(d, cudaEventCreateWithFlags(event, cudaEventDisableTiming), "making an event");
}

struct sb_cuda_transfers *sb_cuda_transfers_open(const struct sb_dev *d)
{
    struct sb_cuda_transfers *t = sb_calloc(1, sizeof *t);
    t->uploads.stream = d->stream;
    sb_cuda_check(d, cudaStreamCreateWithFlags(&t->prefetches.stream, cudaStreamNonBlocking), "making a stream");
    make_event(d, &t->mark);
    make_event(d, &t->copied);
    return t;
}

static void ring_close(struct ring *r)
{
    if (!r->memory) return;
    for (int i = 0; i < PIECES; i++) cudaEventDestroy(r->piece[i].done);
    cudaFreeHost(r->memory);
}

void sb_cuda_transfers_close(struct sb_dev *d)
{
    struct sb_cuda_transfers *t = d->transfers;
    cudaStreamSynchronize(t->prefetches.stream);
    ring_close(&t->uploads);
    ring_close(&t->prefetches);
    for (int i = 0; i < SB_FETCH_SLOTS; i++) {
        if (!t->slot[i].memory) continue;
        cudaEventDestroy(t->slot[i].done);
        cudaFreeHost(t->slot[i].memory);
    }
    cudaEventDestroy(t->mark);
    cudaEventDestroy(t->copied);
    cudaStreamDestroy(t->prefetches.stream);
    free(t);
}

void sb_cuda_transfers_mark(struct sb_dev *d)
{
    sb_cuda_check(d, cudaEventRecord(d->transfers->mark, d->stream), "marking the queue");
}

/* ---- host to device ---------------------------------------------------------------------------------------------- */

static void ring_open(struct sb_dev *d, struct ring *r)
{
    if (r->memory) return;
    sb_cuda_check(d, cudaMallocHost((void **)&r->memory, RING), "taking pinned memory");
    for (int i = 0; i < PIECES; i++) make_event(d, &r->piece[i].done);
}

/* Until the memory from `at` on is free, and one piece more can be under way. */
static void ring_clear(struct sb_dev *d, struct ring *r, size_t bytes)
{
    unsigned drop = r->count == PIECES;
    for (unsigned i = 0; i < r->count; i++) {
        const struct piece *p = &r->piece[(r->first + i) % PIECES];
        if (p->begin < r->at + bytes && r->at < p->end) drop = i + 1;
    }
    if (!drop) return;
    sb_cuda_check(d, cudaEventSynchronize(r->piece[(r->first + drop - 1) % PIECES].done), "copying to the device");
    r->first = (r->first + drop) % PIECES;
    r->count -= drop;
}

/* `bytes` bytes from `at` on of what lies at from[0], from[1], ..., `each` bytes at each. */
static void gather(char *to, const void *const *from, size_t each, size_t at, size_t bytes)
{
    while (bytes) {
        size_t within = at % each, n = each - within < bytes ? each - within : bytes;
        memcpy(to, (const char *)from[at / each] + within, n);
        to += n, at += n, bytes -= n;
    }
}

static void copy_in(struct sb_dev *d, struct ring *r, char *to, const void *const *from, size_t count, size_t each)
{
    ring_open(d, r);
    for (size_t at = 0, n; at < count * each; at += n) {
        n = count * each - at < PIECE ? count * each - at : PIECE;
        if (r->at + n > RING) r->at = 0;
        ring_clear(d, r, n);
        struct piece *p = &r->piece[(r->first + r->count++) % PIECES];
        p->begin = r->at;
        p->end = r->at + n;
        gather(r->memory + p->begin, from, each, at, n);
        sb_cuda_check(d, cudaMemcpyAsync(to + at, r->memory + p->begin, n, cudaMemcpyHostToDevice, r->stream),
                      "copying to the device");
        sb_cuda_check(d, cudaEventRecord(p->done, r->stream), "copying to the device");
        r->at = (p->end + ALIGN - 1) / ALIGN * ALIGN;
    }
}

void sb_cuda_upload(struct sb_dev *d, void *to, const void *from_host, size_t bytes)
{
    sb_cuda_enter(d, "upload");
    if (bytes) copy_in(d, &d->transfers->uploads, to, &from_host, 1, bytes);
}

void sb_cuda_prefetch(struct sb_dev *d, void *to, const void *const *from_host, size_t count, size_t bytes)
{
    struct sb_cuda_transfers *t = d->transfers;
    sb_cuda_enter(d, "prefetch");
    if (!count || !bytes) return;
    sb_cuda_check(d, cudaStreamWaitEvent(t->prefetches.stream, t->mark, 0), "copying to the device");
    sb_cuda_transfers_mark(d);
    copy_in(d, &t->prefetches, to, from_host, count, bytes);
    sb_cuda_check(d, cudaEventRecord(t->copied, t->prefetches.stream), "copying to the device");
    sb_cuda_check(d, cudaStreamWaitEvent(d->stream, t->copied, 0), "copying to the device");
}

/* ---- device to host ---------------------------------------------------------------------------------------------- */

void sb_cuda_download(struct sb_dev *d, void *to_host, const void *from, size_t bytes)
{
    sb_cuda_enter(d, "download");
    if (bytes) sb_cuda_check(d, cudaMemcpyAsync(to_host, from, bytes, cudaMemcpyDeviceToHost, d->stream), "computing");
    sb_cuda_check(d, cudaStreamSynchronize(d->stream), "computing");
}

static void slot_hold(struct sb_dev *d, struct slot *s, size_t bytes)
{
    if (s->memory && bytes <= s->size) return;
    if (s->memory) {
        sb_cuda_check(d, cudaEventSynchronize(s->done), "computing");
        sb_cuda_check(d, cudaFreeHost(s->memory), "releasing pinned memory");
    } else {
        make_event(d, &s->done);
    }
    s->size = bytes ? bytes : 1;
    sb_cuda_check(d, cudaMallocHost(&s->memory, s->size), "taking pinned memory");
}

void sb_cuda_fetch(struct sb_dev *d, int slot, const void *from, size_t bytes)
{
    struct slot *s = &d->transfers->slot[slot];
    sb_cuda_enter(d, "fetch");
    slot_hold(d, s, bytes);
    if (bytes) sb_cuda_check(d, cudaMemcpyAsync(s->memory, from, bytes, cudaMemcpyDeviceToHost, d->stream), "fetching");
    sb_cuda_check(d, cudaEventRecord(s->done, d->stream), "fetching");
}

/* May be called while another thread queues. */
const void *sb_cuda_fetched(struct sb_dev *d, int slot)
{
    const struct slot *s = &d->transfers->slot[slot];
    if (s->memory) sb_cuda_check(d, cudaEventSynchronize(s->done), "computing");
    return s->memory;
}
