#include "base/labels.h"

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
