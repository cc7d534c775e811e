/* A ViT's or ResNet's bare rate: bench_vit ARCH SIZE BATCH f32|bf16 infer|train [SECONDS]. Prints a JSON line: pictures a second (the
 * best call), milliseconds to the first result, the process's largest resident set. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/err.h"
#include "base/progress.h"
#include "nn/net.h"

static double peak_mb(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_maxrss / 1024;
}

static int make_model(struct sb_model *m, const char *arch, int size)
{
    struct sb_vit_config vit;
    struct sb_resnet_config resnet;
    if (!strncmp(arch, "resnet", 6)) {
        if (sb_resnet_config_parse(arch, size, &resnet)) return -1;
        resnet.classes = 1000;
        return sb_model_init_resnet(m, &resnet, 1);
    }
    if (sb_vit_config_parse(arch, size, 0, &vit)) return -1;
    vit.classes = 1000;
    return sb_model_init(m, &vit, NULL, 1);
}

int main(int argc, char **argv)
{
    if (argc < 6) sb_die("bench_vit ARCH SIZE BATCH f32|bf16 infer|train [SECONDS]");
    int size = atoi(argv[2]), batch = atoi(argv[3]);
    bool bf16 = !strcmp(argv[4], "bf16"), train = !strcmp(argv[5], "train");
    double seconds = argc > 6 ? atof(argv[6]) : 5, began = sb_seconds(), first = 0, best = 1e9;
    struct sb_model m;
    struct sb_backend b;
    if (make_model(&m, argv[1], size) || sb_backend_open(&b, "cpu", 0)) sb_die_error();
    struct sb_net_options o = {.batch = batch, .train = train, .bf16 = bf16, .beta1 = 0.9f, .beta2 = 0.999f, .eps = 1e-8f,
                               .decay = 0.05f, .max_norm = 1};
    struct sb_net *n = sb_net_open(&b, &m, &o);
    if (!n) sb_die_error();
    size_t bytes = (size_t)batch * 3 * (size_t)size * (size_t)size;
    uint8_t *pictures = sb_malloc(bytes);
    int32_t *label = sb_calloc((size_t)batch, sizeof *label);
    float *p = sb_calloc((size_t)batch * 1000, sizeof *p);
    for (size_t i = 0; i < bytes; i++) pictures[i] = (uint8_t)(i * 2654435761u >> 24);
    for (int i = 0; i < batch; i++) label[i] = i * 37 % 1000;
    struct sb_batch in = {.count = batch, .dtype = SB_U8, .pictures = pictures, .height = size, .width = size, .label = label};
    double end = 0;
    for (int i = 0; i < 3 || sb_seconds() < end; i++) {
        double from = sb_seconds();
        if (train) sb_net_step(n, &in, 1e-4);
        else sb_net_classify(n, &in, NULL, p, NULL);
        double now = sb_seconds();
        if (!i) first = now - began, end = now + seconds;
        else if (now - from < best) best = now - from;
    }
    printf("{\"arch\": \"%s\", \"batch\": %d, \"precision\": \"%s\", \"mode\": \"%s\", \"images_per_second\": %.2f, "
           "\"first_seconds\": %.3f, \"peak_mb\": %.0f}\n",
           argv[1], batch, argv[4], argv[5], batch / best, first, peak_mb());
    return 0;
}
