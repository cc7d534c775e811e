#include "stream/history.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/hash.h"
#include "base/wire.h"

static void pack_text(msgpack_packer *pk, const char *text)
{
    size_t n = strlen(text);
    msgpack_pack_str(pk, n);
    msgpack_pack_str_body(pk, text, n);
}

/* {base name: hash}; a second file of the same name is told apart by a number. */
static void pack_files(msgpack_packer *pk, const struct sb_args *args)
{
    msgpack_pack_map(pk, args->nfile);
    for (size_t i = 0; i < args->nfile; i++) {
        char hex[SB_HEX];
        const char *slash = strrchr(args->file[i], '/'), *name = slash ? slash + 1 : args->file[i];
        int same = 1;
        for (size_t k = 0; k < i; k++) {
            const char *s = strrchr(args->file[k], '/');
            if (strcmp(s ? s + 1 : args->file[k], name) == 0) same++;
        }
        if (sb_hash_file(args->file[i], hex)) sb_die_error();
        char *key = same > 1 ? sb_format("%s (%d)", name, same) : sb_strdup(name);
        pack_text(pk, key);
        pack_text(pk, hex);
        free(key);
    }
}

static void pack_step(msgpack_packer *pk, const struct sb_tool *tool, const struct sb_args *args)
{
    msgpack_pack_map(pk, 4);
    pack_text(pk, "tool");
    pack_text(pk, tool->name);
    pack_text(pk, "version");
    pack_text(pk, SB_VERSION);
    pack_text(pk, "args");
    msgpack_pack_array(pk, args->nrecorded);
    for (size_t i = 0; i < args->nrecorded; i++) pack_text(pk, args->recorded[i]);
    pack_text(pk, "files");
    pack_files(pk, args);
}

void sb_history_header(struct sb_record *out, const struct sb_record *header, const struct sb_tool *tool, const struct sb_args *args)
{
    struct sb_buffer history = {0};
    struct sb_wire list = {.type = SB_WIRE_ARRAY};
    msgpack_packer pk;

    const struct sb_field *old = header ? sb_record_find(header, "history") : NULL;
    if (old && (sb_wire_head(old->value, old->size, &list) != 1 || list.type != SB_WIRE_ARRAY)) {
        sb_die("the header's history is %s, not a list", sb_wire_name(list.type));
    }
    msgpack_packer_init(&pk, &history, sb_buffer_write);
    msgpack_pack_array(&pk, list.size + 1);
    if (old) sb_buffer_add(&history, old->value + list.head, old->size - list.head);
    pack_step(&pk, tool, args);

    sb_record_reset(out);
    sb_set_int(out, "seabot", 1);
    sb_set_packed(out, "history", history.data, history.size);
    for (size_t i = 0; header && i < header->count; i++) {
        const struct sb_field *f = &header->field[i];
        char *key = sb_strndup(f->key, f->key_size);
        if (!sb_record_find(out, key)) sb_set_packed(out, key, f->value, f->size);
        free(key);
    }
    free(history.data);
}
