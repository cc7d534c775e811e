#include "stream/batches.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/progress.h"

/* A ring of records that fills, and the batches that the caller holds. */
struct sb_batches {
    struct sb_reader *in;
    int size, slots, held;
    double max_wait;
    void (*idle)(void *arg);
    void *arg;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t arrived, freed;
    struct sb_record *record; /* [slots] */
    double *arrival;          /* [slots], sb_seconds() */
    struct sb_record *given;  /* [held, size], what the caller holds */
    uint64_t batches;         /* that were given */
    uint64_t head, tail;      /* records taken, records read */
    int status;               /* 1 reading, 0 ended, -1 failed */
    char *message;
};

static void *read_ahead(void *arg)
{
    struct sb_batches *b = arg;
    for (int status = 1; status == 1;) {
        pthread_mutex_lock(&b->lock);
        while (b->tail - b->head == (uint64_t)b->slots) pthread_cond_wait(&b->freed, &b->lock);
        uint64_t place = b->tail % (uint64_t)b->slots;
        struct sb_record *slot = &b->record[place]; /* only this thread fills slots */
        pthread_mutex_unlock(&b->lock);
        status = sb_reader_next(b->in, slot);
        if (status == 1) sb_reader_keep(b->in, slot);
        pthread_mutex_lock(&b->lock);
        b->arrival[place] = sb_seconds();
        if (status == 1)
            b->tail++;
        else
            b->message = sb_strdup(status < 0 ? sb_error_message() : "");
        b->status = status;
        /* Waking the caller costs as much as reading a record: not for one that changes nothing for it. */
        if (status != 1 || b->tail - b->head >= (uint64_t)b->size || b->max_wait >= 0) pthread_cond_signal(&b->arrived);
        pthread_mutex_unlock(&b->lock);
    }
    return NULL;
}

struct sb_batches *sb_batches_open(struct sb_reader *in, int size, int held, double max_wait, void (*idle)(void *arg),
                                   void *arg)
{
    struct sb_batches *b = sb_calloc(1, sizeof *b);
    *b = (struct sb_batches){.in = in,
                             .size = size,
                             .slots = size,
                             .held = held,
                             .max_wait = max_wait,
                             .idle = idle,
                             .arg = arg,
                             .status = 1};
    b->record = sb_calloc((size_t)b->slots, sizeof *b->record);
    b->arrival = sb_calloc((size_t)b->slots, sizeof *b->arrival);
    b->given = sb_calloc((size_t)size * (size_t)held, sizeof *b->given);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->arrived, &monotonic);
    pthread_cond_init(&b->freed, NULL);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&b->thread, NULL, read_ahead, b)) sb_die("no thread to read with: %m");
    return b;
}

/* Waits until a batch is full, due or the last one; the lock is held. */
static void wait_for_batch(struct sb_batches *b)
{
    bool told = false;
    while (b->status == 1 && b->tail - b->head < (uint64_t)b->size) {
        double due = b->arrival[b->head % (uint64_t)b->slots] + b->max_wait;
        bool limited = b->max_wait >= 0 && b->tail > b->head;
        if (limited && sb_seconds() >= due) return;
        if (!told && b->idle) {
            told = true;
            pthread_mutex_unlock(&b->lock);
            b->idle(b->arg);
            pthread_mutex_lock(&b->lock);
            continue;
        }
        struct timespec until = {.tv_sec = (time_t)due, .tv_nsec = (long)((due - (double)(time_t)due) * 1e9)};
        if (limited)
            pthread_cond_timedwait(&b->arrived, &b->lock, &until);
        else
            pthread_cond_wait(&b->arrived, &b->lock);
    }
}

int sb_batches_next(struct sb_batches *b, struct sb_record **record)
{
    pthread_mutex_lock(&b->lock);
    wait_for_batch(b);
    int count = 0;
    struct sb_record *given = b->given + b->batches++ % (uint64_t)b->held * (uint64_t)b->size;
    /* Slots change places with what the caller held, so nothing is copied. */
    for (; count < b->size && b->head < b->tail; count++, b->head++) {
        struct sb_record *slot = &b->record[b->head % (uint64_t)b->slots], old = given[count];
        given[count] = *slot;
        *slot = old;
    }
    int status = b->status;
    pthread_cond_signal(&b->freed);
    pthread_mutex_unlock(&b->lock);
    *record = given;
    if (!count && status < 0) return sb_error("%s", b->message);
    return count;
}

void sb_batches_close(struct sb_batches *b)
{
    pthread_join(b->thread, NULL);
    for (int i = 0; i < b->slots; i++) sb_record_free(&b->record[i]);
    for (int i = 0; i < b->size * b->held; i++) sb_record_free(&b->given[i]);
    pthread_mutex_destroy(&b->lock);
    pthread_cond_destroy(&b->arrived);
    pthread_cond_destroy(&b->freed);
    free(b->record);
    free(b->arrival);
    free(b->given);
    free(b->message);
    free(b);
}
