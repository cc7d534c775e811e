#include "base/pipeline.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* Items stand in a ring: item i in slot i % depth. Four counts say who may touch a slot, all under one lock:
 * consumed <= done slots <= taken <= produced <= consumed + depth. */
struct ring {
    const struct sb_pipeline *p;
    uint8_t *item;
    bool *done; /* a slot's work is finished */
    uint64_t depth, produced, taken, consumed;
    bool ended;
    pthread_mutex_t lock;
    pthread_cond_t room, work, ready; /* producer, workers and consumer wait here */
};

static void *slot(const struct ring *r, uint64_t index)
{
    return r->item + index % r->depth * r->p->item_size;
}

static void *produce_all(void *arg)
{
    struct ring *r = arg;
    for (;;) {
        pthread_mutex_lock(&r->lock);
        while (r->produced == r->consumed + r->depth) pthread_cond_wait(&r->room, &r->lock);
        uint64_t index = r->produced;
        pthread_mutex_unlock(&r->lock);

        bool more = r->p->produce(r->p->arg, slot(r, index));

        pthread_mutex_lock(&r->lock);
        if (more) {
            r->done[index % r->depth] = false;
            r->produced++;
            pthread_cond_signal(&r->work);
        } else {
            r->ended = true;
            pthread_cond_broadcast(&r->work);
            pthread_cond_signal(&r->ready);
        }
        pthread_mutex_unlock(&r->lock);
        if (!more) return NULL;
    }
}

static void *work_all(void *arg)
{
    struct ring *r = arg;
    pthread_mutex_lock(&r->lock);
    for (;;) {
        while (r->taken == r->produced && !r->ended) pthread_cond_wait(&r->work, &r->lock);
        if (r->taken == r->produced) break;
        uint64_t index = r->taken++;
        pthread_mutex_unlock(&r->lock);
        r->p->work(r->p->arg, slot(r, index));
        pthread_mutex_lock(&r->lock);
        r->done[index % r->depth] = true;
        if (index == r->consumed) pthread_cond_signal(&r->ready);
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

/* True when the next item is ready, or nothing will come any more. */
static bool ready(const struct ring *r)
{
    if (r->consumed < r->produced) return r->done[r->consumed % r->depth];
    return r->ended;
}

static void consume_all(struct ring *r)
{
    pthread_mutex_lock(&r->lock);
    for (;;) {
        if (!ready(r) && r->p->idle) {
            pthread_mutex_unlock(&r->lock);
            r->p->idle(r->p->arg);
            pthread_mutex_lock(&r->lock);
        }
        while (!ready(r)) pthread_cond_wait(&r->ready, &r->lock);
        if (r->consumed == r->produced) break;
        pthread_mutex_unlock(&r->lock);
        r->p->consume(r->p->arg, slot(r, r->consumed));
        pthread_mutex_lock(&r->lock);
        r->consumed++;
        pthread_cond_signal(&r->room);
    }
    pthread_mutex_unlock(&r->lock);
}

static void start(pthread_t *thread, void *(*fn)(void *), struct ring *r)
{
    int rc = pthread_create(thread, NULL, fn, r);
    if (rc) sb_die("cannot start a thread: %s", strerror(rc));
}

static void run_threads(struct ring *r)
{
    int jobs = r->p->jobs;
    pthread_t producer, *worker = sb_calloc((size_t)jobs, sizeof *worker);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->room, NULL);
    pthread_cond_init(&r->work, NULL);
    pthread_cond_init(&r->ready, NULL);
    start(&producer, produce_all, r);
    for (int i = 0; i < jobs; i++) start(&worker[i], work_all, r);
    consume_all(r);
    pthread_join(producer, NULL);
    for (int i = 0; i < jobs; i++) pthread_join(worker[i], NULL);
    pthread_cond_destroy(&r->ready);
    pthread_cond_destroy(&r->work);
    pthread_cond_destroy(&r->room);
    pthread_mutex_destroy(&r->lock);
    free(worker);
}

void sb_pipeline_run(const struct sb_pipeline *p)
{
    struct ring r = {.p = p, .depth = 1};
    if (p->jobs > 1) r.depth = p->depth > 0 ? (uint64_t)p->depth : 2 * (uint64_t)p->jobs + 2;
    r.item = sb_calloc(r.depth, p->item_size);
    r.done = sb_calloc(r.depth, sizeof *r.done);
    if (p->jobs > 1) {
        run_threads(&r);
    } else {
        while (p->produce(p->arg, r.item)) {
            p->work(p->arg, r.item);
            p->consume(p->arg, r.item);
        }
    }
    for (uint64_t i = 0; i < r.depth && p->release; i++) p->release(p->arg, slot(&r, i));
    free(r.done);
    free(r.item);
}
