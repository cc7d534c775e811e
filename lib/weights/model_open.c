#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "nn/model_check.h"
#include "text/texts.h"
#include "weights/class_names.h"
#include "weights/foreign.h"
#include "weights/model_config.h"
#include "weights/model_file.h"

/* A list of texts that the model needs `count` of. */
static int read_texts(const struct sb_weights *w, const char *path, const char *key, int count, struct sb_texts *out)
{
    const char *text = sb_weights_metadata(w, key);
    if (text && sb_texts_parse(text, out)) return sb_error("%s: its '%s': %s", path, key, sb_error_message());
    if (out->count != (size_t)count) return sb_error("%s: it has %zu %s, wanted %d", path, out->count, key, count);
    return 0;
}

static int read_tokenizer(struct sb_model *m, const struct sb_weights *w, const char *path)
{
    struct sb_decoder_config *c = &m->decoder;
    const char *words = sb_weights_metadata(w, "words"), *merges = sb_weights_metadata(w, "merges");
    if (!words || sb_tokenizer_parse(&m->tokenizer, words, merges))
        return sb_error("%s: its 'words': %s", path, words ? sb_error_message() : "there are none");
    if (sb_tokenizer_count(&m->tokenizer) != (size_t)c->words)
        return sb_error("%s: it has %zu words, wanted %d", path, sb_tokenizer_count(&m->tokenizer), c->words);
    c->begin = m->tokenizer.begin;
    c->end = m->tokenizer.end;
    return 0;
}

static char *copy_metadata(const struct sb_weights *w, const char *key)
{
    const char *text = sb_weights_metadata(w, key);
    return text ? sb_strdup(text) : NULL;
}

/* What sb_model_save() wrote. */
static int read_own(struct sb_model *m, const char *config, const char *path)
{
    const struct sb_weights *w = &m->file;
    if (sb_model_config_parse(m, config)) return sb_error("%s: %s", path, sb_error_message());
    if (sb_preprocess_from_weights(&m->preprocess, w, path)) return -1;
    if (m->preprocess.size != sb_model_size(m)) {
        return sb_error("%s: its pictures are prepared at %d pixels, its model takes %d", path, m->preprocess.size,
                        sb_model_size(m));
    }
    if (m->family == SB_VIT) m->rows = m->columns = m->vit.size / m->vit.patch;
    if (read_texts(w, path, "labels", sb_model_classes(m), &m->labels)) return -1;
    if (m->decoder.words && read_tokenizer(m, w, path)) return -1;
    m->history = copy_metadata(w, "history");
    m->data = copy_metadata(w, "data");
    m->parent = copy_metadata(w, "parent");
    return 0;
}

static int *model_size(struct sb_model *m) { return m->family == SB_VIT ? &m->vit.size : &m->resnet.size; }

int sb_model_set_size(struct sb_model *m, int size, const char *path)
{
    if (m->family == SB_VIT && size % m->vit.patch)
        return sb_error("%s: its pictures are prepared at %d pixels, which are not whole patches of %d", path, size,
                        m->vit.patch);
    *model_size(m) = size;
    return sb_model_config_check(m) ? sb_error("%s: %s", path, sb_error_message()) : 0;
}

/* What files beside it say of pictures and classes is taken where it can be used; who must have it (infer_model.h) asks
 * again and hears what is wrong, who trains has it from the stream. */
static int read_foreign(struct sb_model *m, const char *path, const struct sb_model *like)
{
    if (sb_foreign_read(m, path, like ? like->vit.heads : 0)) return -1;
    int own = sb_model_size(m);
    int found = sb_preprocess_find(&m->preprocess, &m->file, path);
    if (found <= 0 || sb_model_set_size(m, m->preprocess.size, path)) {
        m->preprocess.size = 0;
        *model_size(m) = own;
    }
    if (sb_class_names_find(&m->labels, path) < 0 || m->labels.count != (size_t)sb_model_classes(m))
        sb_texts_free(&m->labels);
    return 0;
}

int sb_model_open(struct sb_model *m, const char *path, const struct sb_model *like)
{
    memset(m, 0, sizeof *m);
    if (sb_weights_open(&m->file, path)) return -1;
    const char *config = sb_weights_metadata(&m->file, "seabot");
    int rc = config ? read_own(m, config, path) : read_foreign(m, path, like);
    if (rc) sb_model_free(m);
    return rc;
}
