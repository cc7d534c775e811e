/* Which model a stream's embeddings are of. See vectors.h. */
#include <string.h>

#include "select/vectors.h"

static bool is_text(const msgpack_object *o, const char *text, size_t size)
{
    return o && o->type == MSGPACK_OBJECT_STR && o->via.str.size == size && !memcmp(o->via.str.ptr, text, size);
}

/* The hash of the model of a step of the history that made embeddings; NULL for another step. */
static const msgpack_object *model_of(const msgpack_object *step)
{
    static const char option[] = "--model=";
    const msgpack_object *args = sb_object_value(step, "args", 4), *model = NULL;
    bool embeds = false;
    if (!is_text(sb_object_value(step, "tool", 4), "sb-classify", 11) || !args || args->type != MSGPACK_OBJECT_ARRAY)
        return NULL;
    for (uint32_t i = 0; i < args->via.array.size; i++) {
        const msgpack_object *arg = &args->via.array.ptr[i];
        if (is_text(arg, "--embed", 7)) embeds = true;
        if (arg->type == MSGPACK_OBJECT_STR && arg->via.str.size > sizeof option - 1 &&
            !memcmp(arg->via.str.ptr, option, sizeof option - 1))
            model = sb_object_value(sb_object_value(step, "files", 5), arg->via.str.ptr + sizeof option - 1,
                             arg->via.str.size - (sizeof option - 1));
    }
    return embeds && model && model->type == MSGPACK_OBJECT_STR && model->via.str.size == 32 ? model : NULL;
}

/* The last step of a history that made embeddings; NULL if none did. */
static const msgpack_object *last_model(const msgpack_object *history)
{
    if (history->type != MSGPACK_OBJECT_ARRAY) return NULL;
    for (uint32_t i = history->via.array.size; i-- > 0;) {
        const msgpack_object *model = model_of(&history->via.array.ptr[i]);
        if (model) return model;
    }
    return NULL;
}

/* Of a stream that was put together from others: the model of all of them that have one. */
static const msgpack_object *common_model(const msgpack_object *histories)
{
    const msgpack_object *common = NULL;
    if (histories->type != MSGPACK_OBJECT_ARRAY) return NULL;
    for (uint32_t i = 0; i < histories->via.array.size; i++) {
        const msgpack_object *model = last_model(&histories->via.array.ptr[i]);
        if (model && common && memcmp(model->via.str.ptr, common->via.str.ptr, 32)) return NULL;
        if (model) common = model;
    }
    return common;
}

bool sb_vectors_model(struct sb_record *header, char hash[33])
{
    msgpack_object o;
    const msgpack_object *model = NULL;
    if (sb_get_object(header, "history", &o) == 1) model = last_model(&o);
    if (!model && sb_get_object(header, "inputs", &o) == 1) model = common_model(&o);
    if (!model) return false;
    memcpy(hash, model->via.str.ptr, 32);
    hash[32] = 0;
    return true;
}
