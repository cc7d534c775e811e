#include "vit.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/progress.h"
#include "weights/model_file.h"

enum { NAME, SIZE, BATCH, PRECISION, MODE };

static int make_model(struct sb_model *m, const char *name, int size)
{
    struct sb_vit_config vit;
    struct sb_resnet_config resnet;
    if (strchr(name, '.')) return sb_model_load(m, name);
    if (!strncmp(name, "resnet", 6)) {
        if (sb_resnet_config_parse(name, size, &resnet)) return -1;
        resnet.classes = 1000;
        return sb_model_init_resnet(m, &resnet, 1);
    }
    if (sb_vit_config_parse(name, size, 0, &vit)) return -1;
    vit.classes = 1000;
    return sb_model_init(m, &vit, NULL, 1);
}

void bench_model(struct sb_model *m, const char *name, int size)
{
    memset(m, 0, sizeof *m);
    if (make_model(m, name, size)) sb_die_error();
}

void bench_vit_model(struct bench_vit *v, const char *device, char **argument)
{
    memset(v, 0, sizeof *v);
    v->train = !strcmp(argument[MODE], "train");
    if (sb_backend_open(&v->backend, device ? device : "cpu", 0)) sb_die_error();
    bench_model(&v->model, argument[NAME], atoi(argument[SIZE]));
}

static void invent_batch(struct bench_vit *v, int count)
{
    int size = sb_model_size(&v->model);
    size_t bytes = (size_t)count * 3 * (size_t)size * (size_t)size;
    uint8_t *pictures = sb_malloc(bytes);
    int32_t *label = sb_calloc((size_t)count, sizeof *label);
    for (size_t i = 0; i < bytes; i++) pictures[i] = (uint8_t)(i * 2654435761u >> 24);
    for (int i = 0; i < count; i++) label[i] = i * 37 % sb_model_classes(&v->model);
    v->batch = (struct sb_batch){
        .count = count, .dtype = SB_U8, .pictures = pictures, .height = size, .width = size, .label = label};
}

void bench_vit_net(struct bench_vit *v, char **argument)
{
    struct sb_net_options o = {.batch = atoi(argument[BATCH]),
                               .train = v->train,
                               .bf16 = !strcmp(argument[PRECISION], "bf16"),
                               .beta1 = 0.9f,
                               .beta2 = 0.999f,
                               .eps = 1e-8f,
                               .decay = 0.05f,
                               .max_norm = 1};
    v->net = sb_net_open(&v->backend, &v->model, &o);
    if (!v->net) sb_die_error();
    if (!v->batch.pictures) invent_batch(v, o.batch);
}

static void finish(struct bench_vit *v)
{
    double weight;
    if (v->train)
        sb_net_accumulate_finish(v->net, &weight);
    else
        sb_net_classify_finish(v->net, NULL, v->probability, NULL);
    v->under_way--;
}

double bench_vit_call(struct bench_vit *v)
{
    bool first = !v->probability;
    if (first) v->probability = sb_calloc((size_t)v->batch.count, (size_t)sb_model_classes(&v->model) * sizeof(float));
    double from = sb_seconds();
    if (v->train) {
        sb_net_accumulate_start(v->net, &v->batch);
        sb_net_update(v->net, 1e-4);
    } else {
        sb_net_classify_start(v->net, &v->batch);
    }
    v->under_way++;
    if (first || v->batch.count == 1 || v->under_way == SB_NET_UNDER_WAY) finish(v);
    return sb_seconds() - from;
}

double bench_vit_calls(struct bench_vit *v, int calls)
{
    double from = sb_seconds();
    for (int i = 0; i < calls; i++) bench_vit_call(v);
    while (v->under_way) finish(v);
    v->backend.ops->wait(v->backend.dev);
    return sb_seconds() - from;
}

void bench_vit_free(struct bench_vit *v)
{
    sb_net_close(v->net);
    sb_model_free(&v->model);
    free((void *)(uintptr_t)v->batch.pictures);
    free((void *)(uintptr_t)v->batch.label);
    free(v->probability);
}
