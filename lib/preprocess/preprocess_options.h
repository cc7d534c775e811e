/* The options that say how pictures become a model's input, where its file does not, or otherwise than it does. */
#ifndef SB_PREPROCESS_PREPROCESS_OPTIONS_H
#define SB_PREPROCESS_PREPROCESS_OPTIONS_H

#include <stdint.h>

#include "preprocess/preprocess.h"

struct sb_preprocess_options {
    int64_t size;                     /* 0, and NULL: not given */
    double crop;                      /* likewise 0 */
    const char *fit, *filter, *order; /* words */
    const char *pad;                  /* "114,114,114" */
    const char *mean, *std;           /* "0.485,0.456,0.406" */
};

/* Sets in p what is given. Wrong usage ends the program. */
void sb_preprocess_options_apply(const struct sb_preprocess_options *o, struct sb_preprocess *p);

/* What a model's file says (sb_preprocess_find), and what is given. 1; 0 if the file says nothing, where size, mean and
 * std must be given, and the rest is p's default; -1 with a message. */
int sb_preprocess_settle(struct sb_preprocess *p, const struct sb_weights *w, const char *path,
                         const struct sb_preprocess_options *o);

#endif
