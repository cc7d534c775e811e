#include "nn/param.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/rng.h"
#include "nn/backbone.h"
#include "nn/gpt2.h"

#define ALIGN 16 /* elements: a parameter starts on a cache line in f32 */

int sb_param_declare(struct sb_model *m, const struct sb_param *p)
{
    for (size_t i = 0; i < m->params; i++) {
        if (!strcmp(m->param[i].name, p->name)) return (int)i;
    }
    m->param = sb_realloc(m->param, m->params + 1, sizeof *m->param);
    struct sb_param *q = &m->param[m->params];
    *q = *p;
    q->name = sb_strdup(p->name);
    q->count = 1;
    for (int i = 0; i < q->ndim; i++) q->count *= q->shape[i];
    q->offset = q->joined ? q[-1].offset + q[-1].count : m->total;
    m->total = (q->offset + q->count + ALIGN - 1) / ALIGN * ALIGN;
    return (int)m->params++;
}

void sb_param_fill(const struct sb_param *p, uint64_t seed, float *master)
{
    struct sb_rng rng;
    sb_rng_init(&rng, seed, sb_hash_bytes(p->name, strlen(p->name)).lo);
    float *to = master + p->offset;
    for (int64_t i = 0; i < p->count; i++) {
        if (p->init == SB_INIT_VALUE)
            to[i] = p->scale;
        else if (p->init == SB_INIT_NORMAL)
            to[i] = (float)(p->scale * sb_rng_normal(&rng));
        else
            to[i] = (float)sb_rng_range(&rng, -(double)p->scale, (double)p->scale);
    }
}

void sb_model_layout(struct sb_model *m)
{
    struct sb_backbone backbone;
    sb_backbone_build(&backbone, m);
    sb_backbone_free(&backbone);
    if (m->decoder.words) {
        struct sb_gpt2 gpt2;
        sb_gpt2_build(&gpt2, m);
        sb_gpt2_free(&gpt2);
    }
}
