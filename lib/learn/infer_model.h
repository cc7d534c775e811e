/* The model that a program computes with: what its file says, completed and changed by options. */
#ifndef SB_LEARN_INFER_MODEL_H
#define SB_LEARN_INFER_MODEL_H

#include "learn/infer.h"

/* 1; 0 if neither the file nor one beside it says how pictures become its input: size, mean and std are those of the
 * options, the rest is open; -1 with a message, also where something is missing that options must give. */
int sb_infer_model(struct sb_model *m, const struct sb_infer_options *o);

#endif
