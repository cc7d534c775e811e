#include "weights/model_config.h"

#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "nn/model_check.h"

enum kind { WHOLE, SWITCH, REAL };

struct item {
    const char *key;
    enum kind kind;
    void *value;
};

/* What stands in the file, in one table for both ways. */
#define VIT_ITEMS(c)                                                                                                   \
    {                                                                                                                  \
        {"size", WHOLE, &(c)->size},                                                                                   \
        {"patch", WHOLE, &(c)->patch},                                                                                 \
        {"dim", WHOLE, &(c)->dim},                                                                                     \
        {"depth", WHOLE, &(c)->depth},                                                                                 \
        {"heads", WHOLE, &(c)->heads},                                                                                 \
        {"hidden", WHOLE, &(c)->hidden},                                                                               \
        {"registers", WHOLE, &(c)->registers},                                                                         \
        {"class_token", SWITCH, &(c)->class_token},                                                                    \
        {"layer_scale", SWITCH, &(c)->layer_scale},                                                                    \
        {"eps", REAL, &(c)->eps},                                                                                      \
        {"classes", WHOLE, &(c)->classes},                                                                             \
        {"drop_path", REAL, &(c)->drop_path},                                                                          \
        {"dropout", REAL, &(c)->dropout},                                                                              \
    }
#define RESNET_ITEMS(c)                                                                                                \
    {                                                                                                                  \
        {"size", WHOLE, &(c)->size},                                                                                   \
        {"stage1", WHOLE, &(c)->stage[0]},                                                                             \
        {"stage2", WHOLE, &(c)->stage[1]},                                                                             \
        {"stage3", WHOLE, &(c)->stage[2]},                                                                             \
        {"stage4", WHOLE, &(c)->stage[3]},                                                                             \
        {"width", WHOLE, &(c)->width},                                                                                 \
        {"bottleneck", SWITCH, &(c)->bottleneck},                                                                      \
        {"cifar", SWITCH, &(c)->cifar},                                                                                \
        {"classes", WHOLE, &(c)->classes},                                                                             \
    }
#define DECODER_ITEMS(c)                                                                                               \
    {                                                                                                                  \
        {"words", WHOLE, &(c)->words},    {"dim", WHOLE, &(c)->dim},       {"depth", WHOLE, &(c)->depth},              \
        {"heads", WHOLE, &(c)->heads},    {"hidden", WHOLE, &(c)->hidden}, {"length", WHOLE, &(c)->length},            \
        {"dropout", REAL, &(c)->dropout},                                                                              \
    }
#define COUNT(a) (sizeof(a) / sizeof *(a))

static json_t *write_items(const struct item *item, size_t count)
{
    json_t *o = json_object();
    for (size_t i = 0; i < count; i++) {
        json_t *value = item[i].kind == WHOLE    ? json_integer(*(const int *)item[i].value)
                        : item[i].kind == SWITCH ? json_boolean(*(const bool *)item[i].value)
                                                 : json_real((double)*(const float *)item[i].value);
        json_object_set_new(o, item[i].key, value);
    }
    return o;
}

static int read_items(const json_t *o, const struct item *item, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_object_get(o, item[i].key);
        json_int_t whole = json_integer_value(value);
        bool good = item[i].kind == WHOLE    ? json_is_integer(value) && whole > -INT_MAX && whole < INT_MAX
                    : item[i].kind == SWITCH ? json_is_boolean(value)
                                             : json_is_number(value);
        if (!good) return sb_error("its model has no '%s' that makes sense", item[i].key);
        if (item[i].kind == WHOLE)
            *(int *)item[i].value = (int)whole;
        else if (item[i].kind == SWITCH)
            *(bool *)item[i].value = json_boolean_value(value);
        else
            *(float *)item[i].value = (float)json_number_value(value);
    }
    return 0;
}

static void write_switch(json_t *o, const char *key, bool on)
{
    if (on) json_object_set_new(o, key, json_true());
}

char *sb_model_config_json(const struct sb_model *m)
{
    struct sb_vit_config vit = m->vit;
    struct sb_resnet_config resnet = m->resnet;
    struct sb_decoder_config decoder = m->decoder;
    const struct item vit_items[] = VIT_ITEMS(&vit), resnet_items[] = RESNET_ITEMS(&resnet),
                      decoder_items[] = DECODER_ITEMS(&decoder);
    json_t *o = json_object();
    json_object_set_new(o, "version", json_integer(1));
    if (m->family == SB_RESNET)
        json_object_set_new(o, "resnet", write_items(resnet_items, COUNT(resnet_items)));
    else {
        json_t *v = write_items(vit_items, COUNT(vit_items));
        write_switch(v, "fc_norm", vit.fc_norm);
        json_object_set_new(o, "vit", v);
    }
    if (decoder.words) json_object_set_new(o, "decoder", write_items(decoder_items, COUNT(decoder_items)));
    write_switch(o, "several", m->several);
    write_switch(o, "crops", m->crops);
    char *text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(9));
    json_decref(o);
    if (!text) sb_die("cannot write the model's configuration as JSON");
    return text;
}

int sb_model_config_parse(struct sb_model *m, const char *text)
{
    const struct item vit_items[] = VIT_ITEMS(&m->vit), resnet_items[] = RESNET_ITEMS(&m->resnet),
                      decoder_items[] = DECODER_ITEMS(&m->decoder);
    memset(&m->vit, 0, sizeof m->vit);
    memset(&m->resnet, 0, sizeof m->resnet);
    memset(&m->decoder, 0, sizeof m->decoder);
    json_t *o = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    const json_t *d = json_object_get(o, "decoder"), *resnet = json_object_get(o, "resnet");
    m->family = resnet ? SB_RESNET : SB_VIT;
    m->vit.fc_norm = json_is_true(json_object_get(json_object_get(o, "vit"), "fc_norm"));
    m->several = json_is_true(json_object_get(o, "several"));
    m->crops = json_is_true(json_object_get(o, "crops"));
    int rc = json_is_object(o) ? 0 : sb_error("its configuration is not a JSON object");
    if (!rc && json_integer_value(json_object_get(o, "version")) != 1)
        rc = sb_error("it was written by another version of SeaBot");
    if (!rc && resnet) rc = read_items(resnet, resnet_items, COUNT(resnet_items));
    if (!rc && !resnet) rc = read_items(json_object_get(o, "vit"), vit_items, COUNT(vit_items));
    if (!rc && d) rc = read_items(d, decoder_items, COUNT(decoder_items));
    if (!rc) rc = sb_model_config_check(m);
    json_decref(o);
    return rc;
}
