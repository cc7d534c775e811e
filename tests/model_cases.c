#include "model_cases.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "weights/weight_read.h"

const char *devices[2] = {"ref", "cpu"};

void find_plugins(const char *program)
{
    char *folder = sb_strdup(program), *slash = strrchr(folder, '/');
    if (slash) *slash = 0;
    char *plugins = sb_format("%s/../bin", slash ? folder : ".");
    setenv("SEABOT_PLUGINS", plugins, 0);
    free(plugins);
    free(folder);
    if (getenv("SB_BACKEND")) devices[1] = getenv("SB_BACKEND");
}

bool open_device(struct sb_backend *b, const char *device)
{
    if (sb_backend_open(b, device, 2) == 0) return true;
    if (!strcmp(device, "ref")) fail_msg("%s", sb_error_message());
    print_message("skipped on %s: %s\n", device, sb_error_message());
    return false;
}

struct sb_weights golden_open(const char *name)
{
    const char *root = getenv("ROOT");
    char *path = sb_format("%s/tests/golden/%s.safetensors", root ? root : ".", name);
    struct sb_weights w;
    if (sb_weights_open(&w, path)) fail_msg("%s", sb_error_message());
    free(path);
    return w;
}

const struct sb_tensor *golden(const struct sb_weights *w, const char *name)
{
    const struct sb_tensor *t = sb_weights_find(w, name);
    if (!t) fail_msg("the golden file has no '%s'", name);
    return t;
}

void golden_flat(const struct sb_weights *w, const char *kind, const struct sb_model *m, float *flat)
{
    for (size_t i = 0; i < m->params; i++) {
        const struct sb_param *p = &m->param[i];
        if (p->statistic && !strcmp(kind, "grad")) continue;
        char *name = sb_format("%s.%s", kind, p->name);
        const struct sb_tensor *t = golden(w, name);
        if (!sb_weight_fits(t, p)) fail_msg("%s has another shape than the model's", name);
        sb_weight_read(t, p, flat + p->offset);
        free(name);
    }
}

void near(const char *what, const float *got, const struct sb_tensor *want, double tolerance)
{
    int64_t n = sb_tensor_count(want);
    for (int64_t i = 0; i < n; i++) {
        double w = (double)sb_weight_at(want, i);
        if (!(fabs((double)got[i] - w) <= tolerance))
            fail_msg("%s[%lld] is %.8g, wanted %.8g", what, (long long)i, (double)got[i], w);
    }
}

void gradients_near(const struct sb_weights *w, const struct sb_model *m, const float *got, double tolerance)
{
    float *want = sb_calloc((size_t)m->total, sizeof *want);
    golden_flat(w, "grad", m, want);
    for (size_t i = 0; i < m->params; i++) {
        const struct sb_param *p = &m->param[i];
        double largest = 0;
        for (int64_t k = 0; k < p->count; k++) largest = fmax(largest, fabs((double)want[p->offset + k]));
        for (int64_t k = 0; k < p->count; k++) {
            double g = (double)got[p->offset + k], e = (double)want[p->offset + k];
            if (!(fabs(g - e) <= tolerance * largest)) {
                fail_msg("gradient of %s[%lld] is %.8g, wanted %.8g (largest %.4g)", p->name, (long long)k, g, e,
                         largest);
            }
        }
    }
    free(want);
}

const struct variant variants[4] = {
    {"vit-class", {.dim = 18, .depth = 2, .heads = 3, .class_token = true}},
    {"vit-registers", {.dim = 16, .depth = 1, .heads = 2, .class_token = true, .registers = 2, .layer_scale = true}},
    {"vit-mean", {.dim = 20, .depth = 1, .heads = 5}},
    {"vit-fc-norm", {.dim = 16, .depth = 1, .heads = 2, .class_token = true, .fc_norm = true}},
};

struct sb_model classifier(const struct variant *v, const struct sb_weights *w)
{
    struct sb_vit_config vit = v->vit;
    vit.size = 16;
    vit.patch = 4;
    vit.hidden = 4 * vit.dim;
    vit.eps = 1e-6f;
    vit.classes = 5;
    struct sb_model m;
    if (sb_model_init(&m, &vit, NULL, 0)) fail_msg("%s", sb_error_message());
    if (w) golden_flat(w, "weight", &m, m.master);
    return m;
}

struct sb_batch picture_batch(const struct sb_weights *w, int count)
{
    const struct sb_tensor *pictures = golden(w, "pictures");
    int size = (int)pictures->shape[3];
    return (struct sb_batch){
        .count = count, .dtype = pictures->dtype, .pictures = pictures->data, .height = size, .width = size};
}

struct sb_model captioner(const struct sb_weights *w)
{
    struct sb_vit_config vit = {
        .size = 12, .patch = 4, .dim = 12, .depth = 1, .heads = 2, .hidden = 48, .class_token = true, .eps = 1e-6f};
    struct sb_decoder_config decoder = {
        .words = 13, .dim = 16, .depth = 2, .heads = 2, .hidden = 64, .length = 8, .begin = 1, .end = 2};
    struct sb_model m;
    if (sb_model_init(&m, &vit, &decoder, 0)) fail_msg("%s", sb_error_message());
    if (w) golden_flat(w, "weight", &m, m.master);
    return m;
}

struct sb_net_options training(int batch)
{
    return (struct sb_net_options){
        .batch = batch, .train = true, .beta1 = 0.9f, .beta2 = 0.999f, .eps = 1e-8f, .decay = 0.05f, .max_norm = 1};
}

struct sb_net *open_net(struct sb_backend *b, struct sb_model *m, const struct sb_net_options *o)
{
    struct sb_net *n = sb_net_open(b, m, o);
    if (!n) fail_msg("%s", sb_error_message());
    return n;
}

bool scene_open(struct scene *s, const char *device, const char *want)
{
    *s = (struct scene){0};
    if (!open_device(&s->backend, device)) return false;
    s->given = golden_open("vit-class");
    s->want = golden_open(want);
    s->model = classifier(&variants[0], &s->given);
    s->batch = picture_batch(&s->given, 4);
    s->batch.label = golden(&s->given, "labels")->data;
    return true;
}

void scene_close(struct scene *s)
{
    sb_model_free(&s->model);
    sb_weights_close(&s->given);
    sb_weights_close(&s->want);
    sb_backend_close(&s->backend);
}

double weights_apart(const struct sb_model *m, const float *a, const float *b)
{
    double most = 0;
    for (size_t i = 0; i < m->params; i++) {
        const struct sb_param *p = &m->param[i];
        bool has_key = strstr(p->name, "qkv.bias") != NULL;
        for (int64_t k = 0; k < p->count; k++) {
            if (has_key && k / (p->count / 3) == 1) continue;
            most = fmax(most, fabs((double)(a[p->offset + k] - b[p->offset + k])));
        }
    }
    return most;
}
