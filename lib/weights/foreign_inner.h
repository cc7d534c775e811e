/* Between foreign*.c: a file being recognised. */
#ifndef SB_WEIGHTS_FOREIGN_INNER_H
#define SB_WEIGHTS_FOREIGN_INNER_H

#include "formats/json_file.h"
#include "nn/model.h"
#include "weights/names.h"

struct sb_foreign {
    struct sb_model *model; /* that is filled */
    const char *path;
    int heads;          /* where config.json does not say how many, if not 0 */
    json_t *config;     /* config.json; NULL: there is none */
    const json_t *args; /* timm's model_args in it, or NULL */
    struct sb_naming naming;
};

/* NULL with a message if it is absent, empty, or has another number of dimensions. */
const struct sb_tensor *sb_foreign_tensor(const struct sb_foreign *f, const char *name, int ndim);
bool sb_foreign_has(const struct sb_foreign *f, const char *name);
int sb_foreign_count(const struct sb_foreign *f, const char *pattern); /* of "blocks.%d.norm1.weight", from 0 on */
int sb_foreign_whole(const json_t *o, const char *key);                /* 0: it is no sensible number */

int sb_foreign_vit(struct sb_foreign *f);

#endif
