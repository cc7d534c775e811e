#include <string.h>

#include "base/err.h"
#include "nn/model_check.h"
#include "nn/resnet.h"

static const struct {
    const char *name;
    struct sb_resnet_config config;
} sizes[] = {
    {"resnet18", {.stage = {2, 2, 2, 2}, .width = 64}},
    {"resnet34", {.stage = {3, 4, 6, 3}, .width = 64}},
    {"resnet50", {.stage = {3, 4, 6, 3}, .width = 64, .bottleneck = true}},
    {"resnet101", {.stage = {3, 4, 23, 3}, .width = 64, .bottleneck = true}},
    {"resnet20", {.stage = {3, 3, 3}, .width = 16, .cifar = true}},
    {"resnet32", {.stage = {5, 5, 5}, .width = 16, .cifar = true}},
    {"resnet44", {.stage = {7, 7, 7}, .width = 16, .cifar = true}},
    {"resnet56", {.stage = {9, 9, 9}, .width = 16, .cifar = true}},
    {"resnet110", {.stage = {18, 18, 18}, .width = 16, .cifar = true}},
};

int sb_resnet_config_parse(const char *text, int size, struct sb_resnet_config *out)
{
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (strcmp(sizes[i].name, text)) continue;
        *out = sizes[i].config;
        out->size = size;
        return sb_resnet_config_check(out);
    }
    return sb_error("model: '%s' is none of resnet18, 34, 50, 101, nor for CIFAR resnet20, 32, 44, 56, 110", text);
}

int sb_resnet_config_check(const struct sb_resnet_config *c)
{
    if (c->size < 1 || c->size > 4096) return sb_error("model: the picture's size is %d, not 1 to 4096", c->size);
    if (c->width < 1 || c->width > 1024 || c->classes < 0 || c->classes > 10000000)
        return sb_error("model: a ResNet of width %d and %d classes makes no sense", c->width, c->classes);
    for (int i = 0; i < 4; i++) {
        bool none = c->cifar && i == 3;
        if (none ? c->stage[i] != 0 : c->stage[i] < 1 || c->stage[i] > 256)
            return sb_error("model: stage %d of a ResNet has %d blocks", i + 1, c->stage[i]);
    }
    if (c->cifar && (c->bottleneck || c->width % 2))
        return sb_error("model: a ResNet in the CIFAR form has no bottlenecks, and an even width");
    return 0;
}

int sb_resnet_depth(const struct sb_resnet_config *c) { return c->stage[0] + c->stage[1] + c->stage[2] + c->stage[3]; }

int64_t sb_resnet_dim(const struct sb_resnet_config *c)
{
    return (int64_t)c->width * (c->bottleneck ? 4 : 1) << (c->cifar ? 2 : 3);
}
