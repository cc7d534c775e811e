#include "annotation/vars_associations.h"

#include <stdlib.h>
#include <string.h>

#include "annotation/annotated.h"

void sb_vars_associations_begin(struct sb_vars_associations *a)
{
    for (size_t i = 0; i < a->boxes; i++) json_decref(a->box[i]);
    a->boxes = a->spoilt = 0;
    if (a->seen.count) sb_dictionary_free(&a->seen);
    sb_gathered_begin(&a->texts);
}

static const char *const sides[] = {"x", "y", "width", "height"};

static bool read_box(const json_t *json, double box[4])
{
    for (int i = 0; i < 4; i++) {
        const json_t *side = json_object_get(json, sides[i]);
        if (!json_is_number(side)) return false;
        box[i] = json_number_value(side);
    }
    return sb_annotated_box_is_one(box);
}

void sb_vars_associations_add(struct sb_vars_associations *a, const char *link, const char *to, const char *value)
{
    char *text = sb_format("%s | %s | %s", link, to, value);
    size_t before = a->seen.count;
    bool fresh = sb_dictionary_add(&a->seen, text, strlen(text)) == before;
    bool boxed = fresh && !strcmp(link, "bounding box");
    json_t *json = boxed ? json_loads(value, 0, NULL) : NULL;
    double box[4];
    if (read_box(json, box)) {
        SB_GROW(a->box, a->cap, a->boxes + 1);
        a->box[a->boxes++] = json_incref(json);
    } else if (fresh) {
        sb_gathered_text(&a->texts, text);
        a->spoilt += boxed;
    }
    json_decref(json);
    free(text);
}

/* ---- many of them in a cell ---- */

static char *trimmed(const char *text, size_t size)
{
    while (size && (*text == ' ' || *text == ',' || *text == ';')) text++, size--;
    while (size && text[size - 1] == ' ') size--;
    return sb_strndup(text, size);
}

/* How long the value at the beginning of the text is: JSON, or up to the last separator before the next '|'. */
static size_t value_size(const char *text)
{
    size_t blanks = strspn(text, " "), all = strlen(text), next;
    if (text[blanks] == '{') {
        json_error_t at;
        json_t *json = json_loadb(text + blanks, all - blanks, JSON_DISABLE_EOF_CHECK, &at);
        json_decref(json);
        if (json) return blanks + (size_t)at.position;
    }
    next = strcspn(text, "|");
    if (next == all) return all;
    for (size_t i = next; i > 0; i--)
        if (text[i - 1] == ',' || text[i - 1] == ';') return i - 1;
    return next;
}

void sb_vars_associations_read(struct sb_vars_associations *a, const char *cell)
{
    while (*cell) {
        const char *to = strchr(cell, '|'), *value = to ? strchr(to + 1, '|') : NULL;
        size_t size = value ? value_size(value + 1) : strlen(cell);
        char *first = trimmed(cell, to ? (size_t)(to - cell) : size);
        char *second = value ? trimmed(to + 1, (size_t)(value - to - 1)) : to ? trimmed(to + 1, strlen(to + 1)) : NULL;
        char *third = value ? trimmed(value + 1, size) : NULL;
        if (*first || second) sb_vars_associations_add(a, first, second ? second : "", third ? third : "");
        free(first);
        free(second);
        free(third);
        cell = value ? value + 1 + size : cell + strlen(cell);
        cell += strspn(cell, " ,;");
    }
}

/* ---- what else a box says ---- */

static void add_attribute(struct sb_gathered *g, const char *key, const json_t *value)
{
    if (json_is_string(value)) {
        sb_gathered_pair(g, key, strlen(key), json_string_value(value));
    } else if (!json_is_null(value)) {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        if (text) sb_gathered_pair(g, key, strlen(key), text);
        free(text);
    }
}

void sb_vars_box(const json_t *json, double box[4], struct sb_gathered *memory, struct sb_record *fields)
{
    const char *key;
    json_t *value;
    read_box(json, box);
    sb_gathered_begin(memory);
    json_object_foreach((json_t *)json, key, value)
    {
        bool side = false;
        for (int i = 0; i < 4; i++) side = side || !strcmp(key, sides[i]);
        if (!strcmp(key, "confidence") && json_is_number(value)) {
            sb_set_real(fields, "confidence", json_number_value(value));
        } else if (!side) {
            add_attribute(memory, key, value);
        }
    }
    sb_gathered_set_map(memory, fields, "attributes");
}

void sb_vars_associations_free(struct sb_vars_associations *a)
{
    sb_vars_associations_begin(a);
    free(a->box);
    sb_dictionary_free(&a->seen);
    sb_gathered_free(&a->texts);
}
