#include "preprocess/preprocess.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "preprocess/preprocess_keys.h"

void sb_preprocess_default(struct sb_preprocess *p, int size)
{
    *p = (struct sb_preprocess){.size = size, .crop = 1, .mean = {0.5f, 0.5f, 0.5f}, .std = {0.5f, 0.5f, 0.5f}};
}

void sb_preprocess_pad(const struct sb_preprocess *p, uint8_t pad[3])
{
    for (int c = 0; c < 3; c++) {
        double mean = nearbyint(255.0 * sb_shortest(p->mean[c]));
        pad[c] = p->padded ? p->pad[c] : (uint8_t)(mean < 0 ? 0 : mean > 255 ? 255 : mean);
    }
}

static bool channels_differ(const float a[3], const float b[3])
{
    return fabsf(a[0] - b[0]) > 1e-6f || fabsf(a[1] - b[1]) > 1e-6f || fabsf(a[2] - b[2]) > 1e-6f;
}

/* Which middle is meant shows only where something is cropped: the rest of a long side, or all around. */
static bool is_seen(const struct sb_preprocess *p, const struct sb_preprocess_choice *c)
{
    return strcmp(c->key, "middle") != 0 || p->fit == SB_PREPROCESS_SHORT || p->crop < 1;
}

static bool pads_differ(const struct sb_preprocess *s, const struct sb_preprocess *m, const char *wants, char *text,
                        size_t size)
{
    uint8_t has[3], other[3];
    sb_preprocess_pad(s, has);
    sb_preprocess_pad(m, other);
    if (m->fit != SB_PREPROCESS_LETTERBOX || !memcmp(has, other, 3)) return false;
    snprintf(text, size, "pad %d,%d,%d, %s %d,%d,%d", has[0], has[1], has[2], wants, other[0], other[1],
             other[2]);
    return true;
}

const char *sb_preprocess_differs(const struct sb_preprocess *stream, const struct sb_preprocess *model,
                                  const char *wants)
{
    static _Thread_local char text[200];
    const struct sb_preprocess *s = stream, *m = model;
    if (s->size != m->size) {
        snprintf(text, sizeof text, "size %d, %s %d", s->size, wants, m->size);
        return text;
    }
    if (fabs(s->crop - m->crop) > 1e-6) {
        snprintf(text, sizeof text, "crop %g, %s %g", s->crop, wants, m->crop);
        return text;
    }
    for (int i = 0; i < SB_PREPROCESS_CHOICES; i++) {
        const struct sb_preprocess_choice *c = &sb_preprocess_choices[i];
        const char *has = sb_preprocess_word(s, c), *other = sb_preprocess_word(m, c);
        if (!strcmp(has, other) || !is_seen(m, c)) continue;
        snprintf(text, sizeof text, "%s %s, %s %s", c->key, has, wants, other);
        return text;
    }
    if (pads_differ(s, m, wants, text, sizeof text)) return text;
    for (int std = 0; std <= 1; std++) {
        const float *a = std ? s->std : s->mean, *b = std ? m->std : m->mean;
        if (!channels_differ(a, b)) continue;
        snprintf(text, sizeof text, "%s %g,%g,%g, %s %g,%g,%g", std ? "std" : "mean", (double)a[0], (double)a[1],
                 (double)a[2], wants, (double)b[0], (double)b[1], (double)b[2]);
        return text;
    }
    return NULL;
}
