#include "annotation/ifdo_names.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

int64_t sb_aphia_id(const char *text)
{
    static const char *const before[] = {"marinespecies.org:taxname:", "marinespecies.org/aphia.php?p=taxdetails&id="};
    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        const char *at = strcasestr(text, before[i]);
        if (!at) continue;
        at += strlen(before[i]);
        size_t digits = strspn(at, "0123456789");
        if (digits > 0 && digits <= 12) return strtoll(at, NULL, 10);
    }
    return 0;
}

/* An id is a text; in some files it is a number. The caller frees it; NULL: there is none. */
static char *id_of(const json_t *id)
{
    if (json_is_integer(id)) return sb_format("%lld", (long long)json_integer_value(id));
    const char *text = json_string_value(id);
    return text && *text ? sb_strdup(text) : NULL;
}

static void add_all(json_t **map, const json_t *list)
{
    size_t i;
    json_t *one;
    json_array_foreach(list, i, one)
    {
        char *id = id_of(json_object_get(one, "id"));
        if (!*map) *map = json_object();
        if (id && !json_object_get(*map, id)) json_object_set(*map, id, one);
        free(id);
    }
}

void sb_ifdo_names_add(struct sb_ifdo_names *names, const json_t *fields)
{
    add_all(&names->labels, json_object_get(fields, "image-annotation-labels"));
    add_all(&names->creators, json_object_get(fields, "image-annotation-creators"));
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* "expert", "AI": what kind of an annotator it is is no part of the standard since version 2. */
static const char *status_of(const char *type)
{
    static const char *const machines[] = {"ai", "machine", "machine-learning", "ml", "model", "algorithm", NULL};
    static const char *const people[] = {"expert", "human", "person", "taxonomist", NULL};
    for (size_t i = 0; machines[i]; i++)
        if (!strcasecmp(type, machines[i])) return "machine";
    for (size_t i = 0; people[i]; i++)
        if (!strcasecmp(type, people[i])) return "verified";
    return NULL;
}

static void set_label(const json_t *known, const char *id, struct sb_record *fields)
{
    const char *name = text_of(known, "name");
    int64_t aphia = sb_aphia_id(id);
    if (!aphia) aphia = sb_aphia_id(text_of(known, "uri"));
    if (aphia) sb_set_int(fields, "aphia_id", aphia);
    sb_set_cstr(fields, "label", *name ? name : id);
}

static void set_creator(const json_t *known, const char *id, struct sb_record *fields)
{
    const char *name = text_of(known, "name"), *status = status_of(text_of(known, "type"));
    if (status) sb_set_cstr(fields, "label_status", status);
    sb_set_cstr(fields, "labelled_by", *name ? name : id);
}

void sb_ifdo_names_set(const struct sb_ifdo_names *names, const json_t *label, struct sb_record *fields)
{
    static const char *const all[] = {"label", "aphia_id", "labelled_by", "label_status", "confidence", "labelled_at"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) sb_record_remove(fields, all[i]);
    const json_t *ref = json_object_get(label, "label"), *confidence = json_object_get(label, "confidence");
    char *id = id_of(ref ? ref : json_object_get(label, "id")), *who = id_of(json_object_get(label, "annotator"));
    if (id) set_label(json_object_get(names->labels, id), id, fields);
    if (who) set_creator(json_object_get(names->creators, who), who, fields);
    if (json_is_number(confidence)) sb_set_real(fields, "confidence", json_number_value(confidence));
    free(id);
    free(who);
}

void sb_ifdo_names_free(struct sb_ifdo_names *names)
{
    json_decref(names->labels);
    json_decref(names->creators);
}
