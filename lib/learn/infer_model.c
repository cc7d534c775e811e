#include "learn/infer_model.h"

#include "base/labels.h"
#include "text/texts.h"
#include "weights/class_names.h"
#include "weights/model_file.h"

static int set_preprocess(struct sb_model *m, const struct sb_infer_options *o)
{
    int found = sb_preprocess_settle(&m->preprocess, &m->file, o->model, &o->how);
    if (found >= 0 && m->preprocess.size != sb_model_size(m) && sb_model_set_size(m, m->preprocess.size, o->model))
        return -1;
    return found;
}

static int set_labels(struct sb_model *m, const struct sb_infer_options *o)
{
    size_t classes = (size_t)sb_model_classes(m);
    if (!classes) return o->labels ? sb_error("--labels: %s has no head, and so no classes", o->model) : 0;
    if (!o->labels && m->labels.count) return 0;
    sb_texts_free(&m->labels);
    int found = o->labels ? sb_labels_read(&m->labels, o->labels) : sb_class_names_find(&m->labels, o->model);
    if (found < 0) return -1;
    if (!m->labels.count && o->embeds) {
        sb_warn("%s does not say what its %zu classes are called: embeddings alone (--labels FILE names them)",
                o->model, classes);
        *(m->family == SB_VIT ? &m->vit.classes : &m->resnet.classes) = 0;
        return 0;
    }
    if (!m->labels.count)
        return sb_error("%s does not say what its %zu classes are called: give --labels FILE, one name a line",
                        o->model, classes);
    if (m->labels.count == classes) return 0;
    return sb_error("%s names %zu classes, the head of %s has %zu%s",
                    o->labels ? o->labels : "the config.json beside it", m->labels.count, o->model, classes,
                    o->labels ? "" : ": give --labels FILE, one name a line");
}

int sb_infer_model(struct sb_model *m, const struct sb_infer_options *o)
{
    if (sb_model_open(m, o->model, NULL)) return -1;
    bool fits = !o->captions || m->decoder.words;
    int found = fits ? set_preprocess(m, o) : sb_error("%s is not a captioner: it has no decoder", o->model);
    if (found >= 0 && !set_labels(m, o) && !sb_model_read(m, o->model)) return found;
    sb_model_free(m);
    return -1;
}
