#include <math.h>
#include <string.h>

#include "base/err.h"
#include "nn/net_inner.h"

/* What is told of each picture, where it stands in the results on the device and in those that were fetched. */
struct told {
    float *embedding, *logits, *probability;
    size_t bytes;
};

static struct told told_at(const struct sb_net *n, char *results, int64_t count)
{
    size_t embedding = sb_net_part((size_t)(count * sb_model_dim(n->model)) * sizeof(float)),
           logits = sb_net_part((size_t)(count * sb_model_classes(n->model)) * sizeof(float));
    return (struct told){.embedding = (float *)results,
                         .logits = (float *)(results + embedding),
                         .probability = (float *)(results + embedding + logits),
                         .bytes = embedding + 2 * logits};
}

size_t sb_net_told_bytes(const struct sb_net *n) { return told_at(n, NULL, n->options.batch).bytes; }

void sb_net_classify_pass(void *net)
{
    struct sb_net *n = net;
    struct sb_run *r = &n->run;
    int64_t count = n->input.count, classes = sb_model_classes(n->model);
    r->save = r->chance = false;
    sb_run_rewind(r, 0);
    struct sb_tensor pictures = sb_net_pictures(n);
    struct sb_tensor embedding = sb_backbone_forward(r, &n->backbone, &pictures);
    struct told t = told_at(n, n->results, count);
    struct sb_tensor wide = {.dtype = SB_F32, .ndim = 2, .shape = {count, sb_model_dim(n->model)}, .data = t.embedding};
    r->ops->cast(r->dev, &embedding, &wide);
    if (!classes) return;
    struct sb_tensor logits = SB_TAKE(r, r->act, count, classes);
    sb_linear_forward(r, sb_backbone_head(&n->backbone), &embedding, NULL, &logits);
    struct sb_tensor told = {.dtype = SB_F32, .ndim = 2, .shape = {count, classes}, .data = t.logits};
    r->ops->cast(r->dev, &logits, &told);
    told.data = t.probability;
    r->ops->softmax(r->dev, &logits, &told);
}

void sb_net_classify_start(struct sb_net *n, const struct sb_batch *b)
{
    sb_net_flight_begin(n, b, SB_REPEAT_CLASSIFY);
    sb_net_flight_go(n, sb_net_classify_pass, told_at(n, n->results, b->count).bytes);
}

void sb_net_classify_finish(struct sb_net *n, float *logits, float *probability, float *embedding)
{
    const struct sb_net_flight *f;
    char *results = (char *)(uintptr_t)sb_net_flight_end(n, SB_REPEAT_CLASSIFY, &f);
    struct told t = told_at(n, results, f->count);
    size_t classes = (size_t)(f->count * sb_model_classes(n->model)),
           dims = (size_t)(f->count * sb_model_dim(n->model));
    if ((logits || probability) && !classes) sb_die("the model has no classes");
    if (logits) memcpy(logits, t.logits, classes * sizeof(float));
    if (embedding) memcpy(embedding, t.embedding, dims * sizeof(float));
    if (probability && !n->model->several) memcpy(probability, t.probability, classes * sizeof(float));
    if (!probability || !n->model->several) return;
    for (size_t i = 0; i < classes; i++) probability[i] = 1 / (1 + expf(-t.logits[i])); /* each class for itself */
}

void sb_net_classify(struct sb_net *n, const struct sb_batch *b, float *logits, float *probability, float *embedding)
{
    sb_net_classify_start(n, b);
    sb_net_classify_finish(n, logits, probability, embedding);
}

/* The caches lie at the bottom of the stack during a call. */
void sb_net_caption_begin(struct sb_net *n)
{
    struct sb_run *r = &n->run;
    const struct sb_decoder_config *c = &n->model->decoder;
    int64_t count = n->input.count, length = sb_vit_tokens(&n->model->vit) + c->length - 1;
    r->save = r->chance = false;
    sb_run_rewind(r, 0);
    for (int i = 0; i < c->depth; i++)
        n->cache.layer[i] = SB_TAKE(r, r->act, 2, count, c->heads, length, c->dim / c->heads);
}

static void tell_word(struct sb_net *n, const struct sb_tensor *tokens)
{
    struct sb_run *r = &n->run;
    struct sb_tensor ids = {.dtype = SB_I32, .ndim = 2, .shape = {n->input.count, 1}, .data = n->token};
    struct sb_tensor logits = sb_gpt2_forward(r, &n->gpt2, tokens, &ids, n->decoded + 1, &n->cache);
    struct sb_tensor word = SB_VIEW(&ids, n->input.count);
    r->ops->argmax(r->dev, &logits, &word);
}

void sb_net_prefix_pass(void *net)
{
    struct sb_net *n = net;
    struct sb_run *r = &n->run;
    size_t mark = sb_run_mark(r);
    struct sb_tensor pictures = sb_net_pictures(n);
    struct sb_tensor tokens = sb_backbone_tokens(r, &n->backbone, &pictures);
    tell_word(n, &tokens);
    sb_run_rewind(r, mark);
}

void sb_net_word_pass(void *net)
{
    struct sb_net *n = net;
    size_t mark = sb_run_mark(&n->run);
    tell_word(n, NULL);
    sb_run_rewind(&n->run, mark);
}

/* Takes the words that were told; false once every caption has ended. */
static bool take_words(struct sb_net *n, int64_t at, int32_t *token)
{
    struct sb_run *r = &n->run;
    int64_t count = n->input.count, length = n->model->decoder.length;
    r->ops->fetch(r->dev, SB_SLOT_WORDS, n->token, (size_t)count * sizeof(int32_t));
    const int32_t *word = r->ops->fetched(r->dev, SB_SLOT_WORDS);
    bool more = false;
    for (int64_t i = 0; i < count; i++) {
        int32_t *row = token + i * length, end = n->model->decoder.end;
        bool ended = at > 0 && (row[at - 1] == end || row[at - 1] < 0);
        if (!ended) row[at] = word[i];
        more = more || (!ended && row[at] != end);
    }
    return more;
}

void sb_net_caption(struct sb_net *n, const struct sb_batch *b, int32_t *token)
{
    struct sb_run *r = &n->run;
    if (!n->model->decoder.words) sb_die("the model has no decoder");
    int64_t count = b->count, length = n->model->decoder.length, prefix = sb_vit_tokens(&n->model->vit);
    sb_net_upload(n, b, false);
    sb_net_caption_begin(n);
    memset(token, -1, (size_t)(count * length) * sizeof *token);
    for (int64_t i = 0; i < count; i++) n->host_ids[i] = n->model->decoder.begin;
    r->ops->upload(r->dev, n->token, n->host_ids, (size_t)count * sizeof(int32_t));
    for (int64_t at = 0; at < length - 1; at++) {
        int32_t decoded[2] = {at ? (int32_t)(prefix + at) : 0, (int32_t)at};
        r->ops->upload(r->dev, n->decoded, decoded, sizeof decoded);
        sb_net_repeat(n, at ? SB_REPEAT_WORD : SB_REPEAT_PREFIX, at ? sb_net_word_pass : sb_net_prefix_pass);
        if (!take_words(n, at, token)) break;
    }
}
