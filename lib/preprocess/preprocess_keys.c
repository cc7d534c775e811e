#include "preprocess/preprocess_keys.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "formats/text.h"

const struct sb_preprocess_choice sb_preprocess_choices[SB_PREPROCESS_CHOICES] = {
    {"resize", offsetof(struct sb_preprocess, fit), {"short", "stretch", "letterbox"}},
    {"interpolation", offsetof(struct sb_preprocess, bilinear), {"bicubic", "bilinear"}},
    {"channels", offsetof(struct sb_preprocess, bgr), {"rgb", "bgr"}},
    {"middle", offsetof(struct sb_preprocess, down), {"even", "down"}},
};

const char *sb_preprocess_word(const struct sb_preprocess *p, const struct sb_preprocess_choice *c)
{
    return c->word[*((const uint8_t *)p + c->at)];
}

static bool says(const struct sb_preprocess_value *v, const char *word)
{
    return v->text && v->text_size == strlen(word) && !memcmp(v->text, word, v->text_size);
}

static int set_choice(struct sb_preprocess *p, const struct sb_preprocess_choice *c,
                      const struct sb_preprocess_value *v)
{
    for (uint8_t i = 0; i < 3 && c->word[i]; i++) {
        if (!says(v, c->word[i])) continue;
        *((uint8_t *)p + c->at) = i;
        return 0;
    }
    const char *last = c->word[2] ? c->word[2] : c->word[1];
    return sb_error("preprocessing: '%s' is neither %s%s%s nor %s", c->key, c->word[0], c->word[2] ? ", " : "",
                    c->word[2] ? c->word[1] : "", last);
}

static int set_channels(float to[3], const char *key, const struct sb_preprocess_value *v, double least)
{
    for (int c = 0; c < 3; c++) {
        if (v->numbers != 3 || !isfinite(v->number[c]) || v->number[c] < least || fabs(v->number[c]) > 1e6)
            return sb_error("preprocessing: '%s' is not three sensible numbers", key);
        to[c] = (float)v->number[c];
    }
    return 0;
}

static int set_pad(struct sb_preprocess *p, const struct sb_preprocess_value *v)
{
    for (int c = 0; c < 3; c++) {
        if (v->numbers != 3 || !(v->number[c] >= 0 && v->number[c] <= 255) || v->number[c] != floor(v->number[c]))
            return sb_error("preprocessing: 'pad' is not three bytes");
        p->pad[c] = (uint8_t)v->number[c];
    }
    p->padded = true;
    return 0;
}

int sb_preprocess_set(struct sb_preprocess *p, unsigned *has, const char *key, const struct sb_preprocess_value *v)
{
    if (!strcmp(key, "size")) {
        if (v->numbers != 1 || !(v->number[0] >= 1 && v->number[0] <= 16384) || v->number[0] != floor(v->number[0]))
            return sb_error("preprocessing: 'size' is not a size in pixels");
        p->size = (int)v->number[0];
        *has |= SB_HAS_SIZE;
        return 0;
    }
    if (!strcmp(key, "crop")) {
        if (v->numbers != 1 || !(v->number[0] >= 0.01 && v->number[0] <= 1))
            return sb_error("preprocessing: 'crop' is not in 0.01 to 1");
        p->crop = v->number[0];
        return 0;
    }
    if (!strcmp(key, "mean")) {
        *has |= SB_HAS_MEAN;
        return set_channels(p->mean, key, v, -1e6);
    }
    if (!strcmp(key, "std")) {
        *has |= SB_HAS_STD;
        return set_channels(p->std, key, v, 1e-6);
    }
    if (!strcmp(key, "pad")) return set_pad(p, v);
    for (int i = 0; i < SB_PREPROCESS_CHOICES; i++)
        if (!strcmp(key, sb_preprocess_choices[i].key)) return set_choice(p, &sb_preprocess_choices[i], v);
    return 0;
}

int sb_preprocess_check(unsigned has)
{
    const char *missing = !(has & SB_HAS_SIZE)   ? "size"
                          : !(has & SB_HAS_MEAN) ? "mean"
                          : !(has & SB_HAS_STD)  ? "std"
                                                 : NULL;
    return missing ? sb_error("preprocessing: no '%s'", missing) : 0;
}

struct sb_preprocess_value sb_preprocess_value_json(const json_t *j)
{
    struct sb_preprocess_value v = {.text = json_string_value(j), .text_size = json_string_length(j)};
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

double sb_shortest(float f)
{
    char text[SB_NUMBER];
    return strtod(sb_text_f32(f, text), NULL);
}
