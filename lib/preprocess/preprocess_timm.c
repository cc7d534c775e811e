#include <string.h>

#include "base/err.h"
#include "formats/json_file.h"
#include "preprocess/preprocess_foreign.h"
#include "preprocess/preprocess_keys.h"

/* A square's side, of [3,S,S]; a model that takes one size alone may have been made for another than its weights were:
 * timm then goes by model_args. */
static int set_size(struct sb_preprocess *p, unsigned *has, const json_t *config, const json_t *cfg)
{
    struct sb_preprocess_value size = sb_preprocess_value_json(sb_json_get(cfg, "input_size"));
    const json_t *own = sb_json_get(sb_json_get(config, "model_args"), "img_size");
    if (size.numbers != 3) return sb_error("its 'input_size' is not a list of three numbers");
    if (size.number[0] != 3) return sb_error("it takes pictures of another number of channels than 3");
    if (own && json_is_true(sb_json_get(cfg, "fixed_input_size"))) {
        bool pair = json_array_size(own) == 2;
        size.number[1] = json_number_value(pair ? json_array_get(own, 0) : own);
        size.number[2] = json_number_value(pair ? json_array_get(own, 1) : own);
    }
    if (!(size.number[1] == size.number[2])) return sb_error("it takes pictures that are not square");
    size.number[0] = size.number[1];
    size.numbers = 1;
    return sb_preprocess_set(p, has, "size", &size);
}

/* A key that timm has a default for. */
static int set_key(struct sb_preprocess *p, unsigned *has, const json_t *cfg, const char *timms, const char *ours)
{
    const json_t *value = sb_json_get(cfg, timms);
    if (!value) return 0;
    struct sb_preprocess_value v = sb_preprocess_value_json(value);
    return sb_preprocess_set(p, has, ours, &v);
}

static int set_mode(struct sb_preprocess *p, const json_t *cfg)
{
    const json_t *mode = sb_json_get(cfg, "crop_mode");
    const char *word = mode ? json_string_value(mode) : "center";
    static const char *const words[] = {"center", "squash", "border"}; /* as enum sb_preprocess_fit has them */
    for (uint8_t fit = 0; word && fit < 3; fit++) {
        p->fit = fit;
        if (!strcmp(word, words[fit])) return 0;
    }
    return sb_error("its 'crop_mode' is %.50s: only center, squash and border can be done", word ? word : "not a text");
}

int sb_preprocess_from_timm(struct sb_preprocess *p, const json_t *config)
{
    const json_t *cfg = sb_json_get(config, "pretrained_cfg");
    unsigned has = 0;
    if (!cfg) cfg = config;
    p->crop = 0.875; /* timm's DEFAULT_CROP_PCT */
    if (set_size(p, &has, config, cfg)) return -1;
    if (set_key(p, &has, cfg, "crop_pct", "crop")) return -1;
    if (set_key(p, &has, cfg, "interpolation", "interpolation")) return -1;
    if (set_key(p, &has, cfg, "mean", "mean")) return -1;
    if (set_key(p, &has, cfg, "std", "std")) return -1;
    if (set_mode(p, cfg)) return -1;
    return sb_preprocess_check(has);
}
