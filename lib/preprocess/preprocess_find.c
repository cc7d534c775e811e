#include "preprocess/preprocess_foreign.h"

#include "base/err.h"
#include "formats/json_file.h"
#include "formats/safetensors.h"

static bool is_timm(const json_t *config)
{
    return sb_json_get(config, "pretrained_cfg") || sb_json_get(config, "input_size");
}

static bool is_any(const json_t *config)
{
    (void)config;
    return true;
}

int sb_preprocess_find(struct sb_preprocess *p, const struct sb_weights *w, const char *path)
{
    static const struct {
        const char *name;
        bool (*is)(const json_t *config);
        int (*read)(struct sb_preprocess *p, const json_t *config);
    } forms[] = {{"config.json", is_timm, sb_preprocess_from_timm},
                 {"preprocessor_config.json", is_any, sb_preprocess_from_transformers}};
    if (sb_weights_metadata(w, "preprocess")) return sb_preprocess_from_weights(p, w, path) ? -1 : 1;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        json_t *config;
        int found = sb_json_beside(path, forms[i].name, &config);
        if (found < 0) return -1;
        if (!found) continue;
        bool is = forms[i].is(config);
        sb_preprocess_default(p, 0);
        int rc = is ? forms[i].read(p, config) : 0;
        json_decref(config);
        if (rc) return sb_error("%s beside %s: %s", forms[i].name, path, sb_error_message());
        if (is) return 1;
    }
    return 0;
}
