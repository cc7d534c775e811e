#include "weights/class_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "formats/json_file.h"

static void add(struct sb_texts *names, const char *name)
{
    SB_GROW(names->text, names->cap, names->count + 1);
    names->text[names->count++] = sb_strdup(name);
}

/* In the order of the classes: a list, or an object of "0", "1" ... */
static const json_t *name_of(const json_t *all, size_t class)
{
    char key[24];
    if (json_is_array(all)) return json_array_get(all, class);
    snprintf(key, sizeof key, "%zu", class);
    return json_object_get(all, key);
}

static int take_names(struct sb_texts *names, const json_t *all, const json_t *descriptions)
{
    size_t count = json_is_array(all) ? json_array_size(all) : json_object_size(all);
    if (!json_is_array(all) && !json_is_object(all))
        return sb_error("its names of classes are neither a list nor an object");
    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(name_of(all, i));
        if (!name || !*name) return sb_error("it has %zu names of classes, but none for class %zu", count, i);
        const char *description = json_string_value(json_object_get(descriptions, name));
        add(names, description && *description ? description : name);
    }
    return count > 0;
}

/* What transformers writes where nobody named the classes: LABEL_0, LABEL_1, ... */
static bool names_nothing(const json_t *all)
{
    for (size_t i = 0; i < json_object_size(all); i++) {
        char text[32];
        const char *name = json_string_value(name_of(all, i));
        snprintf(text, sizeof text, "LABEL_%zu", i);
        if (!name || strcmp(name, text)) return false;
    }
    return true;
}

/* timm's keys stand at the top, or, as they did once, among those of pretrained_cfg, there also as "labels". */
static const json_t *timms(const json_t *config, const char *key)
{
    const json_t *value = sb_json_get(config, key);
    return value ? value : sb_json_get(sb_json_get(config, "pretrained_cfg"), key);
}

static int read_names(struct sb_texts *names, const json_t *config)
{
    const json_t *id2label = sb_json_get(config, "id2label"), *all = timms(config, "label_names");
    if (!all) all = timms(config, "labels");
    if (all) return take_names(names, all, timms(config, "label_descriptions"));
    if (!id2label || names_nothing(id2label)) return 0;
    return take_names(names, id2label, NULL);
}

int sb_class_names_find(struct sb_texts *names, const char *path)
{
    json_t *config;
    int rc = sb_json_beside(path, "config.json", &config);
    if (rc <= 0) return rc;
    rc = read_names(names, config);
    json_decref(config);
    return rc < 0 ? sb_error("config.json beside %s: %s", path, sb_error_message()) : rc;
}
