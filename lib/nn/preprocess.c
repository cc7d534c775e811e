#include "nn/preprocess.h"

#include <jansson.h>
#include <math.h>
#include <msgpack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/err.h"
#include "base/record.h"
#include "nn/safetensors.h"

void sb_preprocess_default(struct sb_preprocess *p, int size)
{
    *p = (struct sb_preprocess){.size = size, .crop = 1, .mean = {0.5f, 0.5f, 0.5f}, .std = {0.5f, 0.5f, 0.5f}};
}

/* A value as both of the forms that it travels in, JSON and msgpack, give it. */
struct value {
    const char *text; /* or NULL; not NUL-terminated */
    size_t text_size;
    double number[3];
    int numbers; /* 0, 1, or 3 */
};

enum { HAS_SIZE = 1, HAS_MEAN = 2, HAS_STD = 4, HAS_ALL = 7 };

static bool says(const struct value *v, const char *word)
{
    return v->text && v->text_size == strlen(word) && !memcmp(v->text, word, v->text_size);
}

/* One of two words. */
static int set_choice(bool *to, const char *key, const struct value *v, const char *word0, const char *word1)
{
    if (!says(v, word0) && !says(v, word1))
        return sb_error("preprocessing: '%s' is neither %s nor %s", key, word0, word1);
    *to = says(v, word1);
    return 0;
}

static int set_channels(float to[3], const char *key, const struct value *v, double least)
{
    for (int c = 0; c < 3; c++) {
        if (v->numbers != 3 || !isfinite(v->number[c]) || v->number[c] < least || fabs(v->number[c]) > 1e6) {
            return sb_error("preprocessing: '%s' is not three sensible numbers", key);
        }
        to[c] = (float)v->number[c];
    }
    return 0;
}

/* Keys that are not known are somebody else's. */
static int set(struct sb_preprocess *p, unsigned *has, const char *key, const struct value *v)
{
    if (!strcmp(key, "size")) {
        if (v->numbers != 1 || !(v->number[0] >= 1 && v->number[0] <= 16384) || v->number[0] != floor(v->number[0])) {
            return sb_error("preprocessing: 'size' is not a size in pixels");
        }
        p->size = (int)v->number[0];
        *has |= HAS_SIZE;
        return 0;
    }
    if (!strcmp(key, "crop")) {
        if (v->numbers != 1 || !(v->number[0] > 0 && v->number[0] <= 1))
            return sb_error("preprocessing: 'crop' is not in (0, 1]");
        p->crop = v->number[0];
        return 0;
    }
    if (!strcmp(key, "resize")) return set_choice(&p->stretch, key, v, "short", "stretch");
    if (!strcmp(key, "interpolation")) return set_choice(&p->bilinear, key, v, "bicubic", "bilinear");
    if (!strcmp(key, "channels")) return set_choice(&p->bgr, key, v, "rgb", "bgr");
    if (!strcmp(key, "mean")) {
        *has |= HAS_MEAN;
        return set_channels(p->mean, key, v, -1e6);
    }
    if (!strcmp(key, "std")) {
        *has |= HAS_STD;
        return set_channels(p->std, key, v, 1e-6);
    }
    return 0;
}

static int check_has(unsigned has)
{
    return has == HAS_ALL ? 0
                          : sb_error("preprocessing: no '%s'", !(has & HAS_SIZE)   ? "size"
                                                               : !(has & HAS_MEAN) ? "mean"
                                                                                   : "std");
}

static struct value json_to_value(const json_t *j)
{
    struct value v = {.text = json_string_value(j), .text_size = json_string_length(j)};
    if (json_is_number(j)) {
        v.number[0] = json_number_value(j);
        v.numbers = 1;
    }
    if (json_array_size(j) == 3) {
        v.numbers = 3;
        for (size_t i = 0; i < 3; i++) {
            const json_t *item = json_array_get(j, i);
            v.number[i] = json_is_number(item) ? json_number_value(item) : NAN;
        }
    }
    return v;
}

int sb_preprocess_from_weights(struct sb_preprocess *p, const struct sb_weights *w, const char *path)
{
    const char *text = sb_weights_metadata(w, "preprocess");
    if (!text)
        return sb_error("%s: it does not say how pictures become its input (no 'preprocess' in its metadata)", path);
    json_t *j = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(j)) {
        json_decref(j);
        return sb_error("%s: its 'preprocess' is not a JSON object", path);
    }
    sb_preprocess_default(p, 0);
    unsigned has = 0;
    int rc = 0;
    const char *key;
    json_t *item;
    json_object_foreach(j, key, item)
    {
        struct value v = json_to_value(item);
        if (!rc) rc = set(p, &has, key, &v);
    }
    if (!rc) rc = check_has(has);
    if (rc) sb_error("%s: %s", path, sb_error_message());
    json_decref(j);
    return rc;
}

int sb_preprocess_from_model(struct sb_preprocess *p, const char *path)
{
    struct sb_weights w;
    if (sb_weights_open(&w, path)) return -1;
    int rc = sb_preprocess_from_weights(p, &w, path);
    sb_weights_close(&w);
    return rc;
}

/* The decimal number that a person wrote for this float: 0.485, not 0.48500001430511475. */
static double shortest(float f)
{
    char text[32];
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)f);
        if (strtof(text, NULL) == f) break;
    }
    return strtod(text, NULL);
}

static json_t *channels_json(const float x[3])
{
    json_t *a = json_array();
    for (int c = 0; c < 3; c++) json_array_append_new(a, json_real(shortest(x[c])));
    return a;
}

static const char *resize_word(const struct sb_preprocess *p) { return p->stretch ? "stretch" : "short"; }

static const char *interpolation_word(const struct sb_preprocess *p) { return p->bilinear ? "bilinear" : "bicubic"; }

static const char *channels_word(const struct sb_preprocess *p) { return p->bgr ? "bgr" : "rgb"; }

char *sb_preprocess_json(const struct sb_preprocess *p)
{
    json_t *o = json_object();
    json_object_set_new(o, "size", json_integer(p->size));
    json_object_set_new(o, "crop", json_real(p->crop));
    json_object_set_new(o, "resize", json_string(resize_word(p)));
    json_object_set_new(o, "interpolation", json_string(interpolation_word(p)));
    json_object_set_new(o, "channels", json_string(channels_word(p)));
    json_object_set_new(o, "mean", channels_json(p->mean));
    json_object_set_new(o, "std", channels_json(p->std));
    char *text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(15));
    json_decref(o);
    if (!text) sb_die("cannot write the preprocessing as JSON");
    return text;
}

static void pack_text(msgpack_packer *pk, const char *text)
{
    msgpack_pack_str(pk, strlen(text));
    msgpack_pack_str_body(pk, text, strlen(text));
}

static void pack_word(msgpack_packer *pk, const char *key, const char *word)
{
    pack_text(pk, key);
    pack_text(pk, word);
}

static void pack_channels(msgpack_packer *pk, const char *key, const float x[3])
{
    pack_text(pk, key);
    msgpack_pack_array(pk, 3);
    for (int c = 0; c < 3; c++) msgpack_pack_double(pk, shortest(x[c]));
}

void sb_preprocess_to_header(const struct sb_preprocess *p, bool applied, struct sb_record *header)
{
    struct sb_buffer buffer = {0};
    msgpack_packer pk;
    msgpack_packer_init(&pk, &buffer, sb_buffer_write);
    msgpack_pack_map(&pk, 8);
    pack_text(&pk, "size");
    msgpack_pack_int(&pk, p->size);
    pack_text(&pk, "crop");
    msgpack_pack_double(&pk, p->crop);
    pack_word(&pk, "resize", resize_word(p));
    pack_word(&pk, "interpolation", interpolation_word(p));
    pack_word(&pk, "channels", channels_word(p));
    pack_channels(&pk, "mean", p->mean);
    pack_channels(&pk, "std", p->std);
    pack_text(&pk, "applied");
    if (applied)
        msgpack_pack_true(&pk);
    else
        msgpack_pack_false(&pk);
    sb_set_packed(header, "tensor", buffer.data, buffer.size);
    free(buffer.data);
}

static bool object_number(const msgpack_object *o, double *number)
{
    switch (o->type) {
    case MSGPACK_OBJECT_POSITIVE_INTEGER: *number = (double)o->via.u64; return true;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER: *number = (double)o->via.i64; return true;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64: *number = o->via.f64; return true;
    default: return false;
    }
}

static struct value object_to_value(const msgpack_object *o)
{
    struct value v = {0};
    if (o->type == MSGPACK_OBJECT_STR) {
        v.text = o->via.str.ptr;
        v.text_size = o->via.str.size;
    }
    if (object_number(o, &v.number[0])) v.numbers = 1;
    if (o->type == MSGPACK_OBJECT_ARRAY && o->via.array.size == 3) {
        v.numbers = 3;
        for (int i = 0; i < 3; i++) {
            if (!object_number(&o->via.array.ptr[i], &v.number[i])) v.number[i] = NAN;
        }
    }
    return v;
}

int sb_preprocess_from_header(struct sb_preprocess *p, bool *applied, struct sb_record *header)
{
    msgpack_object o;
    int found = sb_get_object(header, "tensor", &o);
    if (found <= 0) return found;
    if (o.type != MSGPACK_OBJECT_MAP) return sb_error("the header's 'tensor' is not a map");
    sb_preprocess_default(p, 0);
    *applied = false;
    unsigned has = 0;
    for (uint32_t i = 0; i < o.via.map.size; i++) {
        const msgpack_object *k = &o.via.map.ptr[i].key, *item = &o.via.map.ptr[i].val;
        char key[32];
        if (k->type != MSGPACK_OBJECT_STR || k->via.str.size >= sizeof key) continue;
        memcpy(key, k->via.str.ptr, k->via.str.size);
        key[k->via.str.size] = 0;
        if (!strcmp(key, "applied") && item->type == MSGPACK_OBJECT_BOOLEAN) *applied = item->via.boolean;
        struct value v = object_to_value(item);
        if (set(p, &has, key, &v)) return -1;
    }
    return check_has(has) ? -1 : 1;
}

static const char *words_differ(char *text, size_t size, const char *what, const char *stream, const char *model)
{
    snprintf(text, size, "%s %s, the model wants %s", what, stream, model);
    return text;
}

static bool channels_differ(const float a[3], const float b[3])
{
    return fabsf(a[0] - b[0]) > 1e-6f || fabsf(a[1] - b[1]) > 1e-6f || fabsf(a[2] - b[2]) > 1e-6f;
}

const char *sb_preprocess_differs(const struct sb_preprocess *stream, const struct sb_preprocess *model)
{
    static _Thread_local char text[200];
    const struct sb_preprocess *s = stream, *m = model;
    if (s->size != m->size) {
        snprintf(text, sizeof text, "size %d, the model wants %d", s->size, m->size);
        return text;
    }
    if (s->stretch != m->stretch) return words_differ(text, sizeof text, "resize", resize_word(s), resize_word(m));
    if (!s->stretch && fabs(s->crop - m->crop) > 1e-6) {
        snprintf(text, sizeof text, "crop %g, the model wants %g", s->crop, m->crop);
        return text;
    }
    if (s->bilinear != m->bilinear) {
        return words_differ(text, sizeof text, "interpolation", interpolation_word(s), interpolation_word(m));
    }
    if (s->bgr != m->bgr) return words_differ(text, sizeof text, "channels", channels_word(s), channels_word(m));
    for (int std = 0; std <= 1; std++) {
        const float *a = std ? s->std : s->mean, *b = std ? m->std : m->mean;
        if (!channels_differ(a, b)) continue;
        snprintf(text, sizeof text, "%s %g,%g,%g, the model wants %g,%g,%g", std ? "std" : "mean", (double)a[0],
                 (double)a[1], (double)a[2], (double)b[0], (double)b[1], (double)b[2]);
        return text;
    }
    return NULL;
}
