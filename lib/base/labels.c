#include "base/labels.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool same(const msgpack_object *a, const char *text, size_t size)
{
    return a->via.str.size == size && !memcmp(a->via.str.ptr, text, size);
}

int sb_labels_each(struct sb_record *rec, void (*fn)(void *arg, const char *label, size_t size), void *arg)
{
    const char *label = NULL;
    size_t size = 0;
    msgpack_object list;
    if (sb_get_text(rec, "label", &label, &size) < 0) return -1;
    if (label) fn(arg, label, size);
    int found = sb_get_object(rec, "labels", &list);
    if (found <= 0) return found;
    if (list.type != MSGPACK_OBJECT_ARRAY) return sb_error("field 'labels' is not a list of str");
    for (uint32_t i = 0; i < list.via.array.size; i++) {
        const msgpack_object *o = &list.via.array.ptr[i];
        if (o->type != MSGPACK_OBJECT_STR) return sb_error("field 'labels' is not a list of str");
        bool seen = label && same(o, label, size);
        for (uint32_t j = 0; j < i && !seen; j++) seen = same(&list.via.array.ptr[j], o->via.str.ptr, o->via.str.size);
        if (!seen) fn(arg, o->via.str.ptr, o->via.str.size);
    }
    return 0;
}

int sb_labels_read(struct sb_texts *labels, const char *path)
{
    FILE *f = fopen(path, "r");
    if (!f) return sb_error("%s: %s", path, strerror(errno));
    char *line = NULL;
    size_t size = 0, before = labels->count;
    while (getline(&line, &size, f) >= 0) {
        line[strcspn(line, "\r\n")] = 0;
        if (!*line) continue;
        SB_GROW(labels->text, labels->cap, labels->count + 1);
        labels->text[labels->count++] = sb_strdup(line);
    }
    bool failed = ferror(f);
    if (failed) sb_error("%s: %s", path, strerror(errno));
    free(line);
    fclose(f);
    if (failed) return -1;
    return labels->count > before ? 0 : sb_error("%s: no labels", path);
}
