/* Histories that become other histories' inputs: their own inputs come before them in one list, so the places that
 * their steps name are counted anew. */
#include "stream/history_inputs.h"

#include <string.h>

#include "base/wire.h"
#include "stream/history.h"

/* Values that follow each other in bytes that were scanned; of a map keys and values in turn. */
struct values {
    const uint8_t *at;
    size_t left;
    uint64_t count; /* still to come */
};

static bool next(struct values *v, const uint8_t **value, size_t *size)
{
    if (!v->count || (*size = sb_wire_value(v->at, v->left)) == 0) return false;
    *value = v->at;
    v->at += *size;
    v->left -= *size;
    v->count--;
    return true;
}

/* False, and no values, if it is none of that type. */
static bool open(const uint8_t *value, size_t size, enum sb_wire_type type, struct values *v)
{
    struct sb_wire w;
    memset(v, 0, sizeof *v);
    if (sb_wire_head(value, size, &w) != 1 || w.type != type) return false;
    *v = (struct values){value + w.head, size - w.head, type == SB_WIRE_MAP ? 2 * w.size : w.size};
    return true;
}

/* Whether a key is "inputs". */
static bool is_inputs(const uint8_t *key, size_t size)
{
    struct sb_wire w;
    return sb_wire_head(key, size, &w) == 1 && w.type == SB_WIRE_STR && w.size == 6 &&
           !memcmp(key + w.head, "inputs", 6);
}

/* ---- checking ---- */

/* places: so many histories stand before the one of this step. */
static int check_step(const uint8_t *step, size_t size, uint64_t places)
{
    struct values pairs, list;
    const uint8_t *value;
    struct sb_wire w;
    if (!open(step, size, SB_WIRE_MAP, &pairs)) return 0;
    while (next(&pairs, &value, &size)) {
        bool here = is_inputs(value, size);
        if (!next(&pairs, &value, &size)) break;
        if (!here) continue;
        if (!open(value, size, SB_WIRE_ARRAY, &list)) return sb_error("a step's inputs are not a list");
        while (next(&list, &value, &size))
            if (sb_wire_head(value, size, &w) != 1 || w.type != SB_WIRE_UINT || w.v.u >= places)
                return sb_error("a step of the header's history names an input that is not there");
    }
    return 0;
}

static int check_history(const uint8_t *value, size_t size, uint64_t places)
{
    struct values steps;
    struct sb_wire w = {.type = SB_WIRE_NIL};
    if (!open(value, size, SB_WIRE_ARRAY, &steps)) {
        sb_wire_head(value, size, &w);
        return sb_error("the header's history is %s, not a list", sb_wire_name(w.type));
    }
    while (next(&steps, &value, &size))
        if (check_step(value, size, places)) return -1;
    return 0;
}

int sb_history_check(const struct sb_record *header)
{
    const struct sb_field *inputs = sb_record_find(header, "inputs"), *history = sb_record_find(header, "history");
    struct values list = {0};
    const uint8_t *value;
    size_t size;
    uint64_t places = 0;
    if (inputs && !open(inputs->value, inputs->size, SB_WIRE_ARRAY, &list))
        return sb_error("the header's inputs are not a list of histories");
    for (; next(&list, &value, &size); places++)
        if (check_history(value, size, places)) return -1;
    return history ? check_history(history->value, history->size, places) : 0;
}

/* ---- counting anew ---- */

static void pack_places(struct sb_buffer *to, const uint8_t *value, size_t size, uint64_t more)
{
    struct values list;
    struct sb_wire w;
    msgpack_packer pk;
    msgpack_packer_init(&pk, to, sb_buffer_write);
    open(value, size, SB_WIRE_ARRAY, &list);
    msgpack_pack_array(&pk, list.count);
    while (next(&list, &value, &size))
        if (sb_wire_head(value, size, &w) == 1) msgpack_pack_uint64(&pk, w.v.u + more);
}

static void pack_step(struct sb_buffer *to, const uint8_t *step, size_t size, uint64_t more)
{
    struct values pairs;
    const uint8_t *value;
    if (!open(step, size, SB_WIRE_MAP, &pairs)) {
        sb_buffer_add(to, step, size);
        return;
    }
    sb_buffer_add(to, step, (size_t)(pairs.at - step));
    while (next(&pairs, &value, &size)) {
        bool here = is_inputs(value, size);
        sb_buffer_add(to, value, size);
        if (!next(&pairs, &value, &size)) break;
        if (here)
            pack_places(to, value, size, more);
        else
            sb_buffer_add(to, value, size);
    }
}

static void pack_history(struct sb_buffer *to, const uint8_t *history, size_t size, uint64_t more)
{
    struct values steps;
    const uint8_t *value;
    if (!open(history, size, SB_WIRE_ARRAY, &steps)) return;
    sb_buffer_add(to, history, (size_t)(steps.at - history));
    while (next(&steps, &value, &size)) pack_step(to, value, size, more);
}

uint64_t sb_history_gather(struct sb_buffer *inputs, uint64_t count, const struct sb_record *header)
{
    static const uint8_t none[] = {0x90}; /* an empty list */
    const struct sb_field *own = sb_record_find(header, "inputs"), *history = sb_record_find(header, "history");
    struct values list = {0};
    const uint8_t *value;
    size_t size;
    uint64_t before = count;
    if (own) open(own->value, own->size, SB_WIRE_ARRAY, &list);
    for (; next(&list, &value, &size); count++) pack_history(inputs, value, size, before);
    if (history)
        pack_history(inputs, history->value, history->size, before);
    else
        sb_buffer_add(inputs, none, sizeof none);
    return count + 1;
}
