#include "annotation/identified.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

static const char option[] = "--model=";

struct span {
    const char *text;
    size_t size;
};

/* The text under a map's key; none where it is something else. */
static struct span text_of(const msgpack_object *map, const char *key, size_t size)
{
    const msgpack_object *o = sb_object_value(map, key, size);
    if (!o || o->type != MSGPACK_OBJECT_STR) return (struct span){"", 0};
    return (struct span){o->via.str.ptr, o->via.str.size};
}

/* Of a step that named things with a model the name of its file; none for another step. */
static struct span model_of(const msgpack_object *step)
{
    const msgpack_object *args = sb_object_value(step, "args", 4);
    struct span tool = text_of(step, "tool", 4), model = {"", 0};
    if (tool.size != 11 || memcmp(tool.text, "sb-classify", 11) || !args || args->type != MSGPACK_OBJECT_ARRAY)
        return model;
    for (uint32_t i = 0; i < args->via.array.size; i++) {
        const msgpack_object_str *arg = &args->via.array.ptr[i].via.str;
        if (args->via.array.ptr[i].type != MSGPACK_OBJECT_STR || arg->size < sizeof option ||
            memcmp(arg->ptr, option, sizeof option - 1))
            continue;
        model = (struct span){arg->ptr + sizeof option - 1, arg->size - (sizeof option - 1)};
    }
    return model;
}

static void add(struct sb_buffer *all, const msgpack_object *step, struct span model)
{
    struct span hash = text_of(sb_object_value(step, "files", 5), model.text, model.size);
    struct span version = text_of(step, "version", 7);
    char *one = sb_format("%.*s (XXH3-128 %.*s), sb-classify %.*s", (int)model.size, model.text, (int)hash.size,
                          hash.text, (int)version.size, version.text);
    sb_buffer_add(all, "", 1); /* so that it can be searched as text */
    all->size--;
    if (!strstr((const char *)all->data, one)) {
        if (all->size) sb_buffer_add(all, " | ", 3);
        sb_buffer_add(all, one, strlen(one));
    }
    free(one);
}

static void look_in(struct sb_buffer *all, const msgpack_object *history)
{
    if (history->type != MSGPACK_OBJECT_ARRAY) return;
    for (uint32_t i = history->via.array.size; i-- > 0;) {
        struct span model = model_of(&history->via.array.ptr[i]);
        if (!model.size) continue;
        add(all, &history->via.array.ptr[i], model);
        return; /* what an earlier one said is not there any more */
    }
}

char *sb_identified_by(struct sb_record *header)
{
    struct sb_buffer all = {0};
    msgpack_object o;
    if (sb_get_object(header, "history", &o) == 1) look_in(&all, &o);
    if (sb_get_object(header, "inputs", &o) == 1 && o.type == MSGPACK_OBJECT_ARRAY) {
        for (uint32_t i = 0; i < o.via.array.size; i++) look_in(&all, &o.via.array.ptr[i]);
    }
    sb_buffer_add(&all, "", 1);
    return (char *)all.data;
}
