#include "base/relay.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

struct output {
    struct output *next;
    uint8_t *bytes;
};

struct state;

/* A slot of the ring: item i stands in slot i % depth. */
struct sb_relay_item {
    struct state *state;
    uint64_t index;
    uint8_t *bytes;
    struct output *filling;      /* handed to the worker, not given yet */
    struct output *first, *last; /* given, to be consumed */
    bool done;
};

/* consumed <= taken <= produced <= consumed + depth; all under one lock. */
struct state {
    const struct sb_relay *r;
    struct sb_relay_item *item;
    struct output *output, *spare; /* all of them, and those that nobody holds */
    size_t pool, spares;
    uint64_t depth, produced, taken, consumed;
    bool ended;
    pthread_mutex_t lock;
    pthread_cond_t room, work, ready,
        spared; /* producer, workers, consumer, and workers that want an output wait here */
};

static void *produce_all(void *arg)
{
    struct state *s = arg;
    pthread_mutex_lock(&s->lock);
    for (;;) {
        while (s->produced == s->consumed + s->depth) pthread_cond_wait(&s->room, &s->lock);
        struct sb_relay_item *item = &s->item[s->produced % s->depth];
        pthread_mutex_unlock(&s->lock);
        bool more = s->r->produce(s->r->arg, item->bytes);
        pthread_mutex_lock(&s->lock);
        if (!more) break;
        item->index = s->produced++;
        item->done = false;
        pthread_cond_signal(&s->work);
    }
    s->ended = true;
    pthread_cond_broadcast(&s->work);
    pthread_cond_signal(&s->ready);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* Moves what the worker has filled to where the consumer takes it. */
static void give(struct sb_relay_item *item)
{
    struct output *o = item->filling;
    if (!o) return;
    item->filling = o->next = NULL;
    if (item->last)
        item->last->next = o;
    else
        item->first = o;
    item->last = o;
    if (item->index == item->state->consumed) pthread_cond_signal(&item->state->ready);
}

static void *output_alone(struct sb_relay_item *item)
{
    struct state *s = item->state;
    if (item->filling) s->r->consume(s->r->arg, item->filling->bytes);
    item->filling = s->output;
    return item->filling->bytes;
}

void *sb_relay_output(struct sb_relay_item *item)
{
    struct state *s = item->state;
    if (s->r->jobs == 1) return output_alone(item);
    pthread_mutex_lock(&s->lock);
    give(item);
    /* The last two are kept for the item whose turn it is: one is consumed while the other is filled. */
    while (s->spares <= (item->index == s->consumed ? 0 : 2)) pthread_cond_wait(&s->spared, &s->lock);
    struct output *o = item->filling = s->spare;
    s->spare = o->next;
    s->spares--;
    pthread_mutex_unlock(&s->lock);
    return o->bytes;
}

static void *work_all(void *arg)
{
    struct state *s = arg;
    pthread_mutex_lock(&s->lock);
    for (;;) {
        while (s->taken == s->produced && !s->ended) pthread_cond_wait(&s->work, &s->lock);
        if (s->taken == s->produced) break;
        struct sb_relay_item *item = &s->item[s->taken++ % s->depth];
        pthread_mutex_unlock(&s->lock);
        s->r->work(s->r->arg, item->bytes, item);
        pthread_mutex_lock(&s->lock);
        give(item);
        item->done = true;
        if (item->index == s->consumed) pthread_cond_signal(&s->ready);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static void consume_output(struct state *s, struct sb_relay_item *item)
{
    struct output *o = item->first;
    item->first = o->next;
    if (!item->first) item->last = NULL;
    pthread_mutex_unlock(&s->lock);
    s->r->consume(s->r->arg, o->bytes);
    pthread_mutex_lock(&s->lock);
    o->next = s->spare;
    s->spare = o;
    s->spares++;
    pthread_cond_broadcast(&s->spared);
}

static void consume_all(struct state *s)
{
    bool idled = false; /* since the last output */
    pthread_mutex_lock(&s->lock);
    for (;;) {
        struct sb_relay_item *item = &s->item[s->consumed % s->depth];
        bool there = s->consumed < s->produced;
        if (there && item->first) {
            consume_output(s, item);
            idled = false;
        } else if (there && item->done) {
            s->consumed++;
            pthread_cond_signal(&s->room);
            pthread_cond_broadcast(&s->spared); /* the next item may take the last ones now */
        } else if (!there && s->ended) {
            break;
        } else if (s->r->idle && !idled) {
            idled = true;
            pthread_mutex_unlock(&s->lock);
            s->r->idle(s->r->arg);
            pthread_mutex_lock(&s->lock);
        } else {
            pthread_cond_wait(&s->ready, &s->lock);
        }
    }
    pthread_mutex_unlock(&s->lock);
}

static void start(pthread_t *thread, void *(*fn)(void *), struct state *s)
{
    int rc = pthread_create(thread, NULL, fn, s);
    if (rc) sb_die("cannot start a thread: %s", strerror(rc));
}

static void run_threads(struct state *s)
{
    int jobs = s->r->jobs;
    pthread_t producer, *worker = sb_calloc((size_t)jobs, sizeof *worker);
    pthread_cond_t *const conditions[] = {&s->room, &s->work, &s->ready, &s->spared};
    pthread_mutex_init(&s->lock, NULL);
    for (int i = 0; i < 4; i++) pthread_cond_init(conditions[i], NULL);
    start(&producer, produce_all, s);
    for (int i = 0; i < jobs; i++) start(&worker[i], work_all, s);
    consume_all(s);
    pthread_join(producer, NULL);
    for (int i = 0; i < jobs; i++) pthread_join(worker[i], NULL);
    for (int i = 0; i < 4; i++) pthread_cond_destroy(conditions[i]);
    pthread_mutex_destroy(&s->lock);
    free(worker);
}

static void run_alone(struct state *s)
{
    struct sb_relay_item *item = s->item;
    while (s->r->produce(s->r->arg, item->bytes)) {
        s->r->work(s->r->arg, item->bytes, item);
        if (item->filling) s->r->consume(s->r->arg, item->filling->bytes);
        item->filling = NULL;
    }
}

static void allocate(struct state *s)
{
    const struct sb_relay *r = s->r;
    s->item = sb_calloc(s->depth, sizeof *s->item);
    s->output = sb_calloc(s->pool, sizeof *s->output);
    for (uint64_t i = 0; i < s->depth; i++) {
        s->item[i].state = s;
        s->item[i].bytes = sb_calloc(1, r->item_size);
    }
    for (size_t i = 0; i < s->pool; i++) {
        s->output[i].bytes = sb_calloc(1, r->output_size);
        s->output[i].next = s->spare;
        s->spare = &s->output[i];
    }
    s->spares = s->pool;
}

static void release(struct state *s)
{
    const struct sb_relay *r = s->r;
    for (uint64_t i = 0; i < s->depth; i++) {
        if (r->release_item) r->release_item(r->arg, s->item[i].bytes);
        free(s->item[i].bytes);
    }
    for (size_t i = 0; i < s->pool; i++) {
        if (r->release_output) r->release_output(r->arg, s->output[i].bytes);
        free(s->output[i].bytes);
    }
    free(s->item);
    free(s->output);
}

void sb_relay_run(const struct sb_relay *r)
{
    struct state s = {.r = r, .depth = 1, .pool = 1};
    if (r->jobs > 1) {
        s.depth = r->depth > 0 ? (uint64_t)r->depth : 2 * (uint64_t)r->jobs + 2;
        s.pool = r->pool > 3 ? (size_t)r->pool : 8 * (size_t)r->jobs + 2;
    }
    allocate(&s);
    if (r->jobs > 1)
        run_threads(&s);
    else
        run_alone(&s);
    release(&s);
}
