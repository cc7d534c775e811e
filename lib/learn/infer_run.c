#include <pthread.h>

#include "learn/infer.h"

/* Batches on their way from start to finish. Where the device works beside the program, a second thread takes results
 * and writes records, so that neither reading nor writing keeps the device waiting, and what is done gets out while the
 * first waits for input. Where a batch is computed when start returns, one thread does it all. */
struct line {
    struct sb_infer *infer;
    const struct sb_infer_work *work;
    struct {
        struct sb_record *record;
        int count;
    } batch[SB_INFER_HELD];
    uint64_t started, finished, written; /* batches */
    bool ended;                          /* all were started */
    pthread_mutex_t lock;
    pthread_cond_t moved;
};

static void move(struct line *l, uint64_t *count)
{
    pthread_mutex_lock(&l->lock);
    ++*count;
    pthread_cond_broadcast(&l->moved);
    pthread_mutex_unlock(&l->lock);
}

/* Waits until the batch `at` is less than `most` ahead of *count. */
static void wait_for(struct line *l, const uint64_t *count, uint64_t at, uint64_t most)
{
    pthread_mutex_lock(&l->lock);
    while (*count + most <= at) pthread_cond_wait(&l->moved, &l->lock);
    pthread_mutex_unlock(&l->lock);
}

static void settle(struct line *l, uint64_t at)
{
    struct sb_record *record = l->batch[at % SB_INFER_HELD].record;
    int count = l->batch[at % SB_INFER_HELD].count;
    l->work->finish(l->work->arg, record, count, (int)(at % SB_NET_UNDER_WAY));
    move(l, &l->finished);
    sb_infer_put(l->infer, record, count);
    move(l, &l->written);
}

/* Whether the batch `at` is started; output is flushed before waiting for it. */
static bool comes(struct line *l, uint64_t at)
{
    for (bool flushed = false;; flushed = true) {
        pthread_mutex_lock(&l->lock);
        while (flushed && l->started == at && !l->ended) pthread_cond_wait(&l->moved, &l->lock);
        bool more = l->started > at, ended = l->ended;
        pthread_mutex_unlock(&l->lock);
        if (more || ended) return more;
        sb_writer_flush(l->infer->filter.out);
    }
}

static void *settle_all(void *arg)
{
    struct line *l = arg;
    for (uint64_t at = 0; comes(l, at); at++) settle(l, at);
    return NULL;
}

static void start_all(struct line *l, bool beside)
{
    struct sb_batch b;
    for (uint64_t at = 0;; at++) {
        struct sb_record *record;
        wait_for(l, &l->written, at, SB_INFER_HELD);
        int count = sb_infer_next(l->infer, &record, &b);
        if (!count) return;
        wait_for(l, &l->finished, at, SB_NET_UNDER_WAY);
        l->work->start(l->work->arg, &b, (int)(at % SB_NET_UNDER_WAY));
        l->batch[at % SB_INFER_HELD].record = record;
        l->batch[at % SB_INFER_HELD].count = count;
        move(l, &l->started);
        if (!beside) settle(l, at);
    }
}

void sb_infer_run(struct sb_infer *n, const struct sb_infer_work *w)
{
    struct line l = {.infer = n, .work = w, .lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};
    bool beside = !n->backend.ops->host;
    pthread_t second;
    if (beside && pthread_create(&second, NULL, settle_all, &l)) sb_die("no thread to write with: %m");
    start_all(&l, beside);
    if (!beside) return;
    pthread_mutex_lock(&l.lock);
    l.ended = true;
    pthread_cond_broadcast(&l.moved);
    pthread_mutex_unlock(&l.lock);
    pthread_join(second, NULL);
}
