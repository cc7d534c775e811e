/* make_logits MODEL INPUT DEVICE: the model's logits of INPUT's `pictures` (f32, normalised), and to standard error
 * their largest distance from INPUT's `logits`. Both files are safetensors. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "nn/net.h"
#include "weights/model_file.h"

static const struct sb_tensor *wanted(const struct sb_weights *w, const char *name, int ndim)
{
    const struct sb_tensor *t = sb_weights_find(w, name);
    if (!t || t->dtype != SB_F32 || t->ndim != ndim) sb_die("no '%s' of f32 with %d dimensions", name, ndim);
    return t;
}

int main(int argc, char **argv)
{
    if (argc != 4) sb_die("make_logits MODEL INPUT DEVICE");
    struct sb_model m;
    struct sb_weights w;
    struct sb_backend b;
    if (sb_model_load(&m, argv[1]) || sb_weights_open(&w, argv[2]) || sb_backend_open(&b, argv[3], 0)) sb_die_error();
    const struct sb_tensor *pictures = wanted(&w, "pictures", 4), *want = wanted(&w, "logits", 2);
    int count = (int)pictures->shape[0], classes = sb_model_classes(&m);
    if (want->shape[0] != count || want->shape[1] != classes) sb_die("logits of another shape");
    struct sb_net *n = sb_net_open(&b, &m, &(struct sb_net_options){.batch = count});
    if (!n) sb_die_error();
    struct sb_batch batch = {.count = count,
                             .dtype = SB_F32,
                             .pictures = pictures->data,
                             .height = (int)pictures->shape[2],
                             .width = (int)pictures->shape[3]};
    float *logits = sb_calloc((size_t)count * (size_t)classes, sizeof *logits);
    double furthest = 0;
    sb_net_classify(n, &batch, logits, NULL, NULL);
    for (int i = 0; i < count * classes; i++) {
        printf("%.6f%c", (double)logits[i], (i + 1) % classes ? ' ' : '\n');
        furthest = fmax(furthest, fabs((double)(logits[i] - ((const float *)want->data)[i])));
    }
    fprintf(stderr, "%.3g\n", furthest);
    free(logits);
    sb_net_close(n);
    sb_backend_close(&b);
    sb_weights_close(&w);
    sb_model_free(&m);
    return 0;
}
