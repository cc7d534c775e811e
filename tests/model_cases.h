/* What the tests of models share: the golden files of tests/golden/, the tiny models that they are of, and comparisons.
 */
#ifndef SB_TESTS_MODEL_CASES_H
#define SB_TESTS_MODEL_CASES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nn/net.h"

/* The plugin of this build lies in the folder of the programs, beside that of the tests. $SB_BACKEND: tested instead of
 * cpu. */
void find_plugins(const char *program);
/* false: no such plugin, skipped and said so; ref must open. */
bool open_device(struct sb_backend *b, const char *device);
extern const char *devices[2];

/* tests/golden/NAME.safetensors, and a tensor in it; the test fails where there is none. */
struct sb_weights golden_open(const char *name);
const struct sb_tensor *golden(const struct sb_weights *w, const char *name);
/* Fills a flat buffer with every parameter's "weight." or "grad.". */
void golden_flat(const struct sb_weights *w, const char *kind, const struct sb_model *m, float *flat);
struct sb_batch picture_batch(const struct sb_weights *w, int count);

void near(const char *what, const float *got, const struct sb_tensor *want, double tolerance);

/* Every parameter's gradient, within a part of the largest of its tensor: some (of a key's bias) are zero but for
 * rounding. */
void gradients_near(const struct sb_weights *w, const struct sb_model *m, const float *got, double tolerance);

/* The models of vit.py and caption.py; w NULL: as they are initialised. */
struct variant {
    const char *name;
    struct sb_vit_config vit;
};
extern const struct variant variants[4]; /* class token; registers and LayerScale; mean of the patches; norm of it */
struct sb_model classifier(const struct variant *v, const struct sb_weights *w);
struct sb_model captioner(const struct sb_weights *w);

/* AdamW as the golden scripts have it; and a net that must open. */
struct sb_net_options training(int batch);
struct sb_net *open_net(struct sb_backend *b, struct sb_model *m, const struct sb_net_options *o);

/* The tiny ViT of vit.py on a device, its pictures, and the golden file of a test. */
struct scene {
    struct sb_backend backend;
    struct sb_weights given, want;
    struct sb_model model;
    struct sb_batch batch;
};
bool scene_open(struct scene *s, const char *device, const char *want); /* false: no such device, as open_device */
void scene_close(struct scene *s);

/* The farthest that two sets of weights are apart. A key's bias has no gradient but rounding, which Adam takes for a
 * direction: it goes where it likes, and changes nothing. */
double weights_apart(const struct sb_model *m, const float *a, const float *b);

#endif
