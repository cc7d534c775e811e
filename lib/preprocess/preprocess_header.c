/* A preprocessing in a stream's header. */
#include <math.h>
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/err.h"
#include "base/record.h"
#include "preprocess/preprocess_keys.h"

static void pack_text(msgpack_packer *pk, const char *text) { msgpack_pack_str_with_body(pk, text, strlen(text)); }

static void pack_channels(msgpack_packer *pk, const char *key, const float x[3])
{
    pack_text(pk, key);
    msgpack_pack_array(pk, 3);
    for (int c = 0; c < 3; c++) msgpack_pack_double(pk, sb_shortest(x[c]));
}

static void pack_pad(msgpack_packer *pk, const struct sb_preprocess *p)
{
    uint8_t pad[3];
    sb_preprocess_pad(p, pad);
    pack_text(pk, "pad");
    msgpack_pack_array(pk, 3);
    for (int c = 0; c < 3; c++) msgpack_pack_uint8(pk, pad[c]);
}

void sb_preprocess_to_header(const struct sb_preprocess *p, bool applied, struct sb_record *header)
{
    struct sb_buffer buffer = {0};
    msgpack_packer pk;
    msgpack_packer_init(&pk, &buffer, sb_buffer_write);
    bool pads = p->fit == SB_PREPROCESS_LETTERBOX;
    msgpack_pack_map(&pk, (pads ? 6 : 5) + SB_PREPROCESS_CHOICES);
    pack_text(&pk, "size");
    msgpack_pack_int(&pk, p->size);
    pack_text(&pk, "crop");
    msgpack_pack_double(&pk, p->crop);
    for (int i = 0; i < SB_PREPROCESS_CHOICES; i++) {
        pack_text(&pk, sb_preprocess_choices[i].key);
        pack_text(&pk, sb_preprocess_word(p, &sb_preprocess_choices[i]));
    }
    if (pads) pack_pad(&pk, p);
    pack_channels(&pk, "mean", p->mean);
    pack_channels(&pk, "std", p->std);
    pack_text(&pk, "applied");
    if (applied)
        msgpack_pack_true(&pk);
    else
        msgpack_pack_false(&pk);
    sb_set_packed(header, "tensor", buffer.data, buffer.size);
    free(buffer.data);
}

static bool object_number(const msgpack_object *o, double *number)
{
    switch (o->type) {
    case MSGPACK_OBJECT_POSITIVE_INTEGER: *number = (double)o->via.u64; return true;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER: *number = (double)o->via.i64; return true;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64: *number = o->via.f64; return true;
    default: return false;
    }
}

static struct sb_preprocess_value object_to_value(const msgpack_object *o)
{
    struct sb_preprocess_value v = {0};
    if (o->type == MSGPACK_OBJECT_STR) {
        v.text = o->via.str.ptr;
        v.text_size = o->via.str.size;
    }
    if (object_number(o, &v.number[0])) v.numbers = 1;
    if (o->type == MSGPACK_OBJECT_ARRAY && o->via.array.size == 3) {
        v.numbers = 3;
        for (int i = 0; i < 3; i++) {
            if (!object_number(&o->via.array.ptr[i], &v.number[i])) v.number[i] = NAN;
        }
    }
    return v;
}

int sb_preprocess_from_header(struct sb_preprocess *p, bool *applied, struct sb_record *header)
{
    msgpack_object o;
    int found = sb_get_object(header, "tensor", &o);
    if (found <= 0) return found;
    if (o.type != MSGPACK_OBJECT_MAP) return sb_error("the header's 'tensor' is not a map");
    sb_preprocess_default(p, 0);
    *applied = false;
    unsigned has = 0;
    for (uint32_t i = 0; i < o.via.map.size; i++) {
        const msgpack_object *k = &o.via.map.ptr[i].key, *item = &o.via.map.ptr[i].val;
        char key[32];
        if (k->type != MSGPACK_OBJECT_STR || k->via.str.size >= sizeof key) continue;
        memcpy(key, k->via.str.ptr, k->via.str.size);
        key[k->via.str.size] = 0;
        if (!strcmp(key, "applied") && item->type == MSGPACK_OBJECT_BOOLEAN) *applied = item->via.boolean;
        struct sb_preprocess_value v = object_to_value(item);
        if (sb_preprocess_set(p, &has, key, &v)) return -1;
    }
    return sb_preprocess_check(has) ? -1 : 1;
}
