#include "text/texts.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/err.h"

char *sb_texts_json(const struct sb_texts *t)
{
    json_t *list = json_array();
    for (size_t i = 0; i < t->count; i++) {
        if (json_array_append_new(list, json_string(t->text[i]))) sb_die("'%.100s' is not UTF-8", t->text[i]);
    }
    char *text = json_dumps(list, JSON_COMPACT);
    json_decref(list);
    if (!text) sb_die("cannot write a list of texts as JSON");
    return text;
}

int sb_texts_parse(const char *text, struct sb_texts *out)
{
    json_t *list = json_loads(text, 0, NULL), *item;
    int rc = json_is_array(list) ? 0 : sb_error("not a JSON list");
    size_t i;
    json_array_foreach(list, i, item)
    {
        if (!json_is_string(item)) {
            rc = sb_error("not a list of texts");
            break;
        }
        SB_GROW(out->text, out->cap, out->count + 1);
        out->text[out->count++] = sb_strdup(json_string_value(item));
    }
    json_decref(list);
    return rc;
}

void sb_texts_free(struct sb_texts *t)
{
    for (size_t i = 0; i < t->count; i++) free((void *)(uintptr_t)t->text[i]);
    free(t->text);
    *t = (struct sb_texts){0};
}
