#include "preprocess/preprocess_options.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/opt.h"

static void three(const char *option, const char *text, float out[3])
{
    const char *p = text;
    for (int c = 0; c < 3; c++) {
        char *stopped;
        out[c] = strtof(p, &stopped);
        if (stopped == p || *stopped != (c < 2 ? ',' : 0) || !(out[c] > -1e6f && out[c] < 1e6f))
            sb_usage("--%s: '%s' is not three numbers", option, text);
        p = stopped + 1;
    }
}

/* True for the second of two words. */
static bool choose(const char *option, const char *word, const char *no, const char *yes)
{
    return sb_opt_choose(option, word, (const char *const[]){no, yes, NULL}) == 1;
}

void sb_preprocess_options_apply(const struct sb_preprocess_options *o, struct sb_preprocess *p)
{
    if (o->size) p->size = (int)o->size;
    if (o->crop > 0) p->crop = o->crop;
    if (o->fit)
        p->fit = (uint8_t)sb_opt_choose("fit", o->fit, (const char *const[]){"crop", "stretch", "letterbox", NULL});
    if (o->filter) p->bilinear = choose("filter", o->filter, "bicubic", "bilinear");
    if (o->order) p->bgr = choose("order", o->order, "rgb", "bgr");
    if (o->mean) three("mean", o->mean, p->mean);
    if (o->std) three("std", o->std, p->std);
    if (o->pad && p->fit != SB_PREPROCESS_LETTERBOX) sb_usage("--pad is for --fit letterbox");
    p->padded |= o->pad != NULL;
    if (o->pad) sb_opt_colour("pad", o->pad, p->pad);
    for (int c = 0; c < 3; c++)
        if (!(p->std[c] >= 1e-6f)) sb_usage("--std: it divides, so it must be above 0");
}

int sb_preprocess_settle(struct sb_preprocess *p, const struct sb_weights *w, const char *path,
                         const struct sb_preprocess_options *o)
{
    int found = sb_preprocess_find(p, w, path);
    if (found < 0) return -1;
    if (!found && !(o->mean && o->std && o->size))
        return sb_error("%s: neither it nor a JSON file beside it says how pictures become its input: give --mean, "
                        "--std and --size",
                        path);
    if (!found) sb_preprocess_default(p, 0);
    sb_preprocess_options_apply(o, p);
    return found;
}
