/* How a model's parameters are laid out and filled: layers declare what they need, in order of first forward use. */
#ifndef SB_NN_PARAM_H
#define SB_NN_PARAM_H

#include "nn/model.h"

/* The index of the parameter with this one's name; it is added where the model has none yet, so that the same code lays
 * out a new model and finds its way in a loaded one. The name is copied, count and offset are found, the rest is p's.
 */
int sb_param_declare(struct sb_model *m, const struct sb_param *p);

/* Fills the flat buffer from the seed. A parameter's numbers depend on the seed and its name alone: another head or
 * decoder leaves the backbone as it was. */
void sb_param_fill(const struct sb_param *p, uint64_t seed, float *master);

/* Lays out the model's backbone and decoder; master stays as it is. */
void sb_model_layout(struct sb_model *m);

#endif
