/* How good a net is on a part of the data that it was not trained on. */
#ifndef SB_LEARN_VALIDATE_H
#define SB_LEARN_VALIDATE_H

#include "learn/feed.h"

struct sb_score {
    double loss;  /* mean plain loss of a picture or a word */
    double value; /* share of right labels or words; of several labels the mean average precision */
};

/* -1 with a message: as sb_feed_pass(), or the loss is not a number. */
int sb_validate(struct sb_net *net, const struct sb_feed *feed, const struct sb_part *part, struct sb_score *out);

#endif
