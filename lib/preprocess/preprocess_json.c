/* A preprocessing in a model's __metadata__. */
#include <stdlib.h>

#include "base/err.h"
#include "formats/safetensors.h"
#include "preprocess/preprocess_keys.h"

static int read_object(struct sb_preprocess *p, json_t *o)
{
    if (!json_is_object(o)) return sb_error("its 'preprocess' is not a JSON object");
    unsigned has = 0;
    const char *key;
    json_t *item;
    json_object_foreach(o, key, item)
    {
        struct sb_preprocess_value v = sb_preprocess_value_json(item);
        if (sb_preprocess_set(p, &has, key, &v)) return -1;
    }
    return sb_preprocess_check(has);
}

int sb_preprocess_from_weights(struct sb_preprocess *p, const struct sb_weights *w, const char *path)
{
    const char *text = sb_weights_metadata(w, "preprocess");
    if (!text)
        return sb_error("%s: it does not say how pictures become its input (no 'preprocess' in its metadata)", path);
    json_t *o = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    sb_preprocess_default(p, 0);
    int rc = read_object(p, o);
    if (rc) sb_error("%s: %s", path, sb_error_message());
    json_decref(o);
    return rc;
}

static json_t *channels_json(const float x[3])
{
    json_t *a = json_array();
    for (int c = 0; c < 3; c++) json_array_append_new(a, json_real(sb_shortest(x[c])));
    return a;
}

static json_t *pad_json(const struct sb_preprocess *p)
{
    uint8_t pad[3];
    json_t *a = json_array();
    sb_preprocess_pad(p, pad);
    for (int c = 0; c < 3; c++) json_array_append_new(a, json_integer(pad[c]));
    return a;
}

char *sb_preprocess_json(const struct sb_preprocess *p)
{
    json_t *o = json_object();
    json_object_set_new(o, "size", json_integer(p->size));
    json_object_set_new(o, "crop", json_real(p->crop));
    for (int i = 0; i < SB_PREPROCESS_CHOICES; i++)
        json_object_set_new(o, sb_preprocess_choices[i].key,
                            json_string(sb_preprocess_word(p, &sb_preprocess_choices[i])));
    if (p->fit == SB_PREPROCESS_LETTERBOX) json_object_set_new(o, "pad", pad_json(p));
    json_object_set_new(o, "mean", channels_json(p->mean));
    json_object_set_new(o, "std", channels_json(p->std));
    char *text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(15));
    json_decref(o);
    if (!text) sb_die("cannot write the preprocessing as JSON");
    return text;
}
