/* What a model that others wrote is: told from its tensors' names and shapes, and from a config.json beside it. */
#ifndef SB_WEIGHTS_FOREIGN_H
#define SB_WEIGHTS_FOREIGN_H

#include "nn/model.h"

/* m->file is open. Its tensors get our names (weights/names.h), and positions the rows that our layout has. Sets the
 * family and its configuration; where shapes leave open what config.json does not say, and where it is no model of
 * ours, -1 with a message that says what is missing or in the way. heads: of a ViT, where config.json does not say it;
 * 0: not known. */
int sb_foreign_read(struct sb_model *m, const char *path, int heads);

#endif
