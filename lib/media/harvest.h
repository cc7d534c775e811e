/* Footage to records: every input opened in turn, its frames chosen, and made records by many threads, in order. */
#ifndef SB_MEDIA_HARVEST_H
#define SB_MEDIA_HARVEST_H

#include "media/frame_record.h"

/* What comes of an input: a record, or one line to say about it. It is lent for the call that gets it. */
struct sb_yield {
    enum { SB_YIELD_RECORD, SB_YIELD_UNREADABLE, SB_YIELD_REMARK } kind;
    const struct sb_input *input;
    double done;           /* of all inputs, as a count of them */
    struct sb_record *rec; /* of a record */
    const char *why;       /* of the others, beginning with the input's path */
};

struct sb_harvest {
    const struct sb_inputs *inputs;
    struct sb_sampling how;
    double scene; /* not 0: leave out frames that differ by no more from the last one kept (scene.h) */
    struct sb_frame_style style;
    int jobs;                                              /* threads */
    const volatile sig_atomic_t *stop;                     /* once it is not 0, reading ends with the frame in hand */
    void (*take)(void *arg, const struct sb_yield *yield); /* called in order, in the calling thread */
    void *arg;
};

void sb_harvest_run(const struct sb_harvest *h);

#endif
