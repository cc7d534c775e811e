#include "stream/history.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/hash.h"
#include "base/wire.h"
#include "stream/history_inputs.h"

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

/* place: where in the header's inputs the histories stand that this step took. */
static void pack_step(msgpack_packer *pk, const struct sb_tool *tool, const struct sb_args *args, const uint64_t *place, size_t inputs)
{
    msgpack_pack_map(pk, inputs ? 5 : 4);
    pack_text(pk, "tool");
    pack_text(pk, tool->name);
    pack_text(pk, "version");
    pack_text(pk, SB_VERSION);
    pack_text(pk, "args");
    msgpack_pack_array(pk, args->nrecorded);
    for (size_t i = 0; i < args->nrecorded; i++) pack_text(pk, args->recorded[i]);
    pack_text(pk, "files");
    pack_files(pk, args);
    if (!inputs) return;
    pack_text(pk, "inputs");
    msgpack_pack_array(pk, inputs);
    for (size_t i = 0; i < inputs; i++) msgpack_pack_uint64(pk, place[i]);
}

/* The items of a list of the header; *size 0 where it has none. */
static const uint8_t *items_of(const struct sb_record *header, const char *key, uint64_t *count, size_t *size)
{
    struct sb_wire list;
    const struct sb_field *f = header ? sb_record_find(header, key) : NULL;
    *count = *size = 0;
    if (!f || sb_wire_head(f->value, f->size, &list) != 1 || list.type != SB_WIRE_ARRAY) return NULL;
    *count = list.size;
    *size = f->size - list.head;
    return f->value + list.head;
}

void sb_history_join(struct sb_record *out, const struct sb_record *header, const struct sb_record *const *input,
                     size_t inputs, const struct sb_tool *tool, const struct sb_args *args)
{
    struct sb_buffer steps = {0}, others = {0};
    uint64_t nsteps, count, *place = sb_calloc(inputs + 1, sizeof *place);
    size_t size;
    msgpack_packer pk;

    if (header && sb_history_check(header)) sb_die_error();
    for (size_t i = 0; i < inputs; i++)
        if (sb_history_check(input[i])) sb_die_error();
    const uint8_t *old = items_of(header, "inputs", &count, &size);
    sb_buffer_add(&others, old, size);
    for (size_t i = 0; i < inputs; i++) {
        count = sb_history_gather(&others, count, input[i]);
        place[i] = count - 1;
    }
    old = items_of(header, "history", &nsteps, &size);
    sb_buffer_add(&steps, old, size);
    msgpack_packer_init(&pk, &steps, sb_buffer_write);
    pack_step(&pk, tool, args, place, inputs);

    sb_record_reset(out);
    sb_set_int(out, "seabot", 1);
    sb_set_list(out, "history", nsteps + 1, steps.data, steps.size);
    if (count) sb_set_list(out, "inputs", count, others.data, others.size);
    for (size_t i = 0; header && i < header->count; i++) {
        const struct sb_field *f = &header->field[i];
        char *key = sb_strndup(f->key, f->key_size);
        if (!sb_record_find(out, key)) sb_set_packed(out, key, f->value, f->size);
        free(key);
    }
    free(steps.data);
    free(others.data);
    free(place);
}

void sb_history_header(struct sb_record *out, const struct sb_record *header, const struct sb_tool *tool, const struct sb_args *args)
{
    sb_history_join(out, header, NULL, 0, tool, args);
}
