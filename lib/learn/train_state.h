/* What a run needs to go on as if it had never stopped: a safetensors file beside the model, replaced whole. */
#ifndef SB_LEARN_TRAIN_STATE_H
#define SB_LEARN_TRAIN_STATE_H

#include "nn/net.h"

struct sb_train_state {
    int epochs;        /* that are done */
    int kept_epoch;    /* from 1, whose weights the model file holds; 0: none yet */
    int best_epoch;    /* from 1, the best validation; 0: none yet */
    double best_score; /* higher is better */
};

/* MODEL.state; the caller frees it. */
char *sb_train_state_path(const char *model);
/* The net between two steps. -1 with a message. */
int sb_train_state_save(const char *path, const struct sb_train_state *s, struct sb_net *net, const struct sb_model *m,
                        bool averaged);
/* 1 taken over, 0 there is none, -1 with a message: it can't be read, or is of another run. The same run has the same
 * data, arguments and version, as m->data and m->history tell. */
int sb_train_state_load(const char *path, struct sb_train_state *s, struct sb_net *net, const struct sb_model *m,
                        bool averaged);

#endif
