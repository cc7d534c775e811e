/* A captioner's decoder and its tokens, as sb-train's options want them. */
#ifndef SB_LEARN_PLAN_DECODER_H
#define SB_LEARN_PLAN_DECODER_H

#include "learn/plan.h"

/* config and tokenizer are filled; --decoder's dimensions that are none are wrong usage; else -1 with a message. Tokens
 * are those of plan->tokenizer, else of the files beside a decoder's, else the words of the data's captions. */
int sb_plan_decoder(struct sb_decoder_config *config, struct sb_tokenizer *tokenizer, const struct sb_plan *plan,
                    const struct sb_dataset *data);
/* The decoder's weights, where plan->decoder is a file; -1 with a message. */
int sb_plan_decoder_weights(struct sb_model *m, const struct sb_plan *plan);

#endif
