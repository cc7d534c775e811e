#include "learn/lineage.h"

#include <jansson.h>
#include <stdlib.h>

#include "stream/history.h"

static json_t *text_json(const msgpack_object *o)
{
    json_t *text = o->type == MSGPACK_OBJECT_STR ? json_stringn(o->via.str.ptr, o->via.str.size) : NULL;
    return text ? text : json_null();
}

/* A history holds texts, lists and maps alone; what else a foreign header holds becomes null. */
static json_t *value_json(const msgpack_object *o)
{
    if (o->type == MSGPACK_OBJECT_ARRAY) {
        json_t *list = json_array();
        for (uint32_t i = 0; i < o->via.array.size; i++) json_array_append_new(list, value_json(&o->via.array.ptr[i]));
        return list;
    }
    if (o->type != MSGPACK_OBJECT_MAP) return text_json(o);
    json_t *map = json_object();
    for (uint32_t i = 0; i < o->via.map.size; i++) {
        const msgpack_object_kv *pair = &o->via.map.ptr[i];
        json_t *key = text_json(&pair->key);
        if (json_is_string(key)) json_object_set_new(map, json_string_value(key), value_json(&pair->val));
        json_decref(key);
    }
    return map;
}

/* The histories of other streams that went into this one: a list that was checked. */
struct inputs {
    msgpack_object list;
    bool *taken; /* each is one step's */
};

/* In a stream a step names its inputs' places in that list; in a model their histories stand in the step. */
static json_t *history_json(const msgpack_object *history, struct inputs *in)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < history->via.array.size; i++) {
        const msgpack_object *step = &history->via.array.ptr[i], *places = sb_object_value(step, "inputs", 6);
        json_t *json = value_json(step), *inputs = json_array();
        for (uint32_t k = 0; places && k < places->via.array.size; k++) {
            uint64_t at = places->via.array.ptr[k].via.u64;
            if (in->taken[at]) continue;
            in->taken[at] = true;
            json_array_append_new(inputs, history_json(&in->list.via.array.ptr[at], in));
        }
        if (places) json_object_set(json, "inputs", inputs);
        json_decref(inputs);
        json_array_append_new(list, json);
    }
    return list;
}

char *sb_lineage_json(const struct sb_record *header, const struct sb_tool *tool, const struct sb_args *args)
{
    struct sb_record all = {0};
    msgpack_object history;
    struct inputs in = {0};
    sb_history_header(&all, header, tool, args);
    if (sb_get_object(&all, "history", &history) != 1) sb_die_error();
    if (sb_get_object(&all, "inputs", &in.list) == 1) in.taken = sb_calloc(in.list.via.array.size + 1, 1);
    json_t *json = history_json(&history, &in);
    free(in.taken);
    char *text = json_dumps(json, JSON_COMPACT);
    if (!text) sb_die("the stream's history is not text");
    json_decref(json);
    sb_record_free(&all);
    return text;
}
