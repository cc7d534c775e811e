#include "learn/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "formats/safetensors.h"
#include "learn/plan_decoder.h"
#include "nn/vit.h"
#include "weights/model_file.h"

static void texts_of(struct sb_texts *out, const struct sb_dictionary *d)
{
    out->text = sb_calloc(d->count + 1, sizeof *out->text);
    out->count = out->cap = d->count;
    for (size_t i = 0; i < d->count; i++) out->text[i] = sb_strdup(d->text[i]);
}

/* The shape of the file to start from; what was asked for besides must be what it has. */
static int shape_of(struct sb_model *from, const struct sb_plan *plan)
{
    if (sb_model_open(from, plan->init, NULL)) return -1;
    const struct sb_vit_config *c = &from->vit;
    if (from->family != SB_VIT) return 0;
    if (plan->patch && plan->patch != c->patch)
        return sb_error("%s: its patches are of %d pixels, --patch wants %lld", plan->init, c->patch,
                        (long long)plan->patch);
    if (plan->pool && !strcmp(plan->pool, "mean") != sb_vit_mean(c))
        return sb_error("%s: its embedding is the %s, --pool wants another", plan->init,
                        sb_vit_mean(c) ? "mean of the patches" : "class token");
    return 0;
}

static int plan_vit(struct sb_model *m, const struct sb_plan *plan, const struct sb_dataset *data,
                    const struct sb_vit_config *like)
{
    struct sb_vit_config vit;
    struct sb_decoder_config decoder = {0};
    struct sb_tokenizer tokenizer = {0};
    const char *arch = plan->arch ? plan->arch : "Ti";
    bool captions = plan->task == SB_TASK_CAPTION;
    if (like) {
        vit = *like;
        vit.size = data->size;
    } else {
        if (sb_vit_config_parse(arch, data->size, (int)plan->patch, &vit)) sb_usage("--arch: %s", sb_error_message());
        vit.class_token = !plan->pool || strcmp(plan->pool, "mean");
    }
    vit.classes = captions ? 0 : (int)data->target.count;
    vit.dropout = (float)plan->dropout;
    vit.drop_path = (float)plan->drop_path;
    int rc = captions ? sb_plan_decoder(&decoder, &tokenizer, plan, data) : 0;
    if (!rc) rc = sb_model_init(m, &vit, captions ? &decoder : NULL, (uint64_t)plan->seed);
    if (rc)
        sb_tokenizer_free(&tokenizer);
    else
        m->tokenizer = tokenizer;
    return rc;
}

static int plan_resnet(struct sb_model *m, const struct sb_plan *plan, const struct sb_dataset *data,
                       const struct sb_resnet_config *like)
{
    struct sb_resnet_config resnet;
    if (like) {
        resnet = *like;
        resnet.size = data->size;
    } else if (sb_resnet_config_parse(plan->arch, data->size, &resnet))
        sb_usage("--arch: %s", sb_error_message());
    const char *alien = plan->patch           ? "--patch"
                        : plan->pool          ? "--pool"
                        : plan->dropout > 0   ? "--dropout"
                        : plan->drop_path > 0 ? "--drop-path"
                                              : NULL;
    if (alien) sb_usage("%s is for ViTs, not for a ResNet", alien);
    if (plan->task == SB_TASK_CAPTION) sb_usage("a captioner needs a ViT's tokens, which a ResNet has not");
    resnet.classes = (int)data->target.count;
    return sb_model_init_resnet(m, &resnet, (uint64_t)plan->seed);
}

/* Without --arch, as the file to start from. */
static int plan_shape(struct sb_model *m, const struct sb_plan *plan, const struct sb_dataset *data)
{
    struct sb_model from = {0};
    bool like = plan->init && !plan->arch;
    int rc = like ? shape_of(&from, plan) : 0;
    bool resnet = like ? from.family == SB_RESNET : plan->arch && !strncmp(plan->arch, "resnet", 6);
    if (!rc && resnet)
        rc = plan_resnet(m, plan, data, like ? &from.resnet : NULL);
    else if (!rc)
        rc = plan_vit(m, plan, data, like ? &from.vit : NULL);
    sb_model_free(&from);
    return rc;
}

/* Weights expect the values that they were trained with. Another size or crop is common and does no harm. */
static void warn_of_colours(const char *init, const struct sb_preprocess *stream)
{
    struct sb_weights w;
    struct sb_preprocess theirs, colours = *stream;
    if (sb_weights_open(&w, init)) return; /* sb_model_take() says why */
    if (sb_preprocess_find(&theirs, &w, init) == 1) {
        colours.bgr = theirs.bgr;
        memcpy(colours.mean, theirs.mean, sizeof theirs.mean);
        memcpy(colours.std, theirs.std, sizeof theirs.std);
        const char *differs = sb_preprocess_differs(stream, &colours, "the model wants");
        if (differs) sb_warn("%s: the stream's tensors are not what it was trained with: %s", init, differs);
    }
    sb_weights_close(&w);
}

int sb_plan_model(struct sb_model *m, const struct sb_plan *plan, const struct sb_dataset *data)
{
    bool captions = plan->task == SB_TASK_CAPTION;
    if (plan_shape(m, plan, data)) return -1;
    m->several = plan->task == SB_TASK_LABELS;
    m->crops = data->crops;
    m->preprocess = data->preprocess;
    if (!captions) texts_of(&m->labels, &data->target);
    if (plan->init) {
        if (sb_model_take(m, plan->init)) return -1;
        warn_of_colours(plan->init, &data->preprocess);
    }
    return captions ? sb_plan_decoder_weights(m, plan) : 0;
}

int sb_plan_frozen(struct sb_model *m, const char *freeze)
{
    int above = sb_model_layers(m) - 1;
    char *end;
    long layers = strtol(freeze, &end, 10);
    if (*freeze && !*end && layers >= 0 && layers <= above) return (int)layers;
    if (strcmp(freeze, "all")) sb_usage("--freeze is a number of layers from 0 to %d, or all, not '%s'", above, freeze);
    /* For rates the last norm counts as of the head; a linear probe leaves it alone. */
    for (size_t i = 0; i < m->params; i++)
        if (!strncmp(m->param[i].name, "norm.", 5) || !strncmp(m->param[i].name, "fc_norm.", 8))
            m->param[i].layer = above - 1;
    return above;
}
