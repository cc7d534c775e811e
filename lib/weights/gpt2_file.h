/* The decoder in a file of transformers' GPT-2 (GPT2Model or GPT2LMHeadModel), with the config.json beside it. */
#ifndef SB_WEIGHTS_GPT2_FILE_H
#define SB_WEIGHTS_GPT2_FILE_H

#include "nn/model.h"

/* Its shape: words, dim, depth, heads, hidden, and length, the most positions there are; the rest is 0. Without a
 * config.json heads are 64 wide, as in all that OpenAI published. -1 with a message: no such file, not a GPT-2, or one
 * that computes otherwise (activation, epsilon, scaling of attention, an untied head). */
int sb_gpt2_describe(const char *path, struct sb_decoder_config *out);
/* Fills m's decoder. Its words and positions are the first of the file's, which may have more. */
int sb_gpt2_take(struct sb_model *m, const char *path);

#endif
