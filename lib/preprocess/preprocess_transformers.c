#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "formats/json_file.h"
#include "preprocess/preprocess_foreign.h"
#include "preprocess/preprocess_keys.h"

/* What a class of image processors does where its file is silent. */
struct processor {
    const char *name;
    bool square;  /* a size that is one number is that of a square, else of the short side */
    bool crops;   /* do_center_crop */
    bool percent; /* crop_pct: resize to size / crop_pct and keep the middle, but stretch from 384 on */
};

static const struct processor processors[] = {{"ViT", true, false, false},
                                              {"DeiT", true, true, false},
                                              {"Bit", false, true, false},
                                              {"CLIP", false, true, false},
                                              {"ConvNext", false, false, true}};

/* "ViTImageProcessor", once "ViTFeatureExtractor"; Fast and Pil say which library resizes. */
static bool is_called(const char *type, const char *name)
{
    size_t n = strlen(name);
    const char *rest = type + n;
    if (strncmp(type, name, n)) return false;
    if (!strncmp(rest, "ImageProcessor", 14))
        rest += 14;
    else if (!strncmp(rest, "FeatureExtractor", 16))
        rest += 16;
    else
        return false;
    return !*rest || !strcmp(rest, "Fast") || !strcmp(rest, "Pil");
}

static const struct processor *find_processor(const json_t *config)
{
    const json_t *type = sb_json_get(config, "image_processor_type");
    if (!type) type = sb_json_get(config, "feature_extractor_type");
    const char *word = json_string_value(type);
    for (size_t i = 0; word && i < sizeof processors / sizeof *processors; i++)
        if (is_called(word, processors[i].name)) return &processors[i];
    sb_error("its image processor is '%.60s': only those of ViT, DeiT, Bit, CLIP and ConvNext can be done",
             word ? word : "not named");
    return NULL;
}

static int get_flag(const json_t *config, const char *key, bool usual, bool *flag)
{
    const json_t *value = sb_json_get(config, key);
    *flag = value ? json_is_true(value) : usual;
    return value && !json_is_boolean(value) ? sb_error("its '%s' is neither true nor false", key) : 0;
}

static int get_pixels(const json_t *value, const char *what, int *pixels)
{
    json_int_t n = json_integer_value(value);
    if (!json_is_integer(value) || n < 1 || n > 16384) return sb_error("its '%s' is not a size in pixels", what);
    *pixels = (int)n;
    return 0;
}

/* A side, of a number or of {"height", "width"} that are equal, or, if shortest is not NULL, of {"shortest_edge"}. */
static int get_side(const json_t *config, const char *key, int *side, bool *shortest)
{
    const json_t *value = sb_json_get(config, key);
    if (!json_is_object(value)) return get_pixels(value, key, side);
    const json_t *edge = sb_json_get(value, "shortest_edge"), *longest = sb_json_get(value, "longest_edge");
    if (longest) return sb_error("its '%s' has a longest edge: that can't be done", key);
    if (shortest) *shortest = edge != NULL;
    if (shortest && edge) return get_pixels(edge, "shortest_edge", side);
    int high = 0, wide = 0;
    if (get_pixels(sb_json_get(value, "height"), "height", &high)) return -1;
    if (get_pixels(sb_json_get(value, "width"), "width", &wide)) return -1;
    *side = high;
    return high == wide ? 0 : sb_error("its '%s' is not square: %d x %d", key, wide, high);
}

/* The part that gives `side` again when `kept` is divided by it, also after 15 digits of it were written and read. */
static double part(int kept, int side)
{
    double exact = (double)kept / side, crop;
    do {
        char text[32];
        snprintf(text, sizeof text, "%.15g", exact);
        crop = strtod(text, NULL);
        exact -= exact * 1e-15;
    } while (floor(kept / crop) < side);
    return crop;
}

/* The middle of what was resized to `side`. */
static int set_crop(struct sb_preprocess *p, const json_t *config, int side)
{
    if (get_side(config, "crop_size", &p->size, NULL)) return -1;
    if (p->size > side)
        return sb_error("it cuts %d pixels out of pictures resized to %d: that can't be done", p->size, side);
    if (p->size * 100 < side) return sb_error("it cuts %d pixels out of pictures resized to %d", p->size, side);
    p->crop = part(p->size, side);
    return 0;
}

static int set_percent(struct sb_preprocess *p, const json_t *config)
{
    unsigned has = 0;
    p->fit = p->size >= 384 ? SB_PREPROCESS_STRETCH : SB_PREPROCESS_SHORT;
    struct sb_preprocess_value v = sb_preprocess_value_json(sb_json_get(config, "crop_pct"));
    return p->fit == SB_PREPROCESS_STRETCH ? 0 : sb_preprocess_set(p, &has, "crop", &v);
}

static int set_size(struct sb_preprocess *p, const json_t *config, const struct processor *what)
{
    bool resizes, crops, shortest = !what->square;
    if (get_flag(config, "do_resize", true, &resizes)) return -1;
    if (!resizes) return sb_error("it does not resize pictures");
    if (get_flag(config, "do_center_crop", what->crops, &crops)) return -1;
    if (get_side(config, "size", &p->size, &shortest)) return -1;
    if (what->percent) return crops || !shortest ? sb_error("it crops twice") : set_percent(p, config);
    p->fit = shortest ? SB_PREPROCESS_SHORT : SB_PREPROCESS_STRETCH;
    if (crops) return set_crop(p, config, p->size);
    return shortest ? sb_error("it gives pictures that are not square") : 0;
}

static int set_filter(struct sb_preprocess *p, const json_t *config)
{
    static const char *const names[] = {"nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"};
    const json_t *value = sb_json_get(config, "resample");
    json_int_t n = json_integer_value(value);
    if (!json_is_integer(value) || n < 0 || n > 5) return sb_error("its 'resample' is none of Pillow's filters");
    if (n != 2 && n != 3)
        return sb_error("it resizes with Pillow's %s: only bilinear and bicubic can be done", names[n]);
    p->bilinear = n == 2;
    return 0;
}

static int check_rescale(const json_t *config)
{
    bool rescales;
    const json_t *factor = sb_json_get(config, "rescale_factor");
    if (get_flag(config, "do_rescale", true, &rescales)) return -1;
    if (!rescales || (factor && !(fabs(json_number_value(factor) * 255 - 1) < 1e-6)))
        return sb_error("it rescales by another factor than 1/255: that can't be done");
    return 0;
}

static int set_normalize(struct sb_preprocess *p, const json_t *config)
{
    bool normalizes;
    unsigned has = 0;
    if (get_flag(config, "do_normalize", true, &normalizes)) return -1;
    struct sb_preprocess_value none = {.number = {0, 0, 0}, .numbers = 3}, one = {.number = {1, 1, 1}, .numbers = 3};
    struct sb_preprocess_value mean = normalizes ? sb_preprocess_value_json(sb_json_get(config, "image_mean")) : none;
    struct sb_preprocess_value std = normalizes ? sb_preprocess_value_json(sb_json_get(config, "image_std")) : one;
    if (sb_preprocess_set(p, &has, "mean", &mean)) return -1;
    return sb_preprocess_set(p, &has, "std", &std);
}

int sb_preprocess_from_transformers(struct sb_preprocess *p, const json_t *config)
{
    const struct processor *what = find_processor(config);
    if (!what || set_size(p, config, what) || set_filter(p, config) || check_rescale(config)) return -1;
    p->down = true;
    return set_normalize(p, config);
}
