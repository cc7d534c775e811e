#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/table.h"
#include "stream/describe.h"

enum { LINE_MOST = 400 };

static const msgpack_object *member(const msgpack_object *map, const char *key)
{
    if (map->type != MSGPACK_OBJECT_MAP) return NULL;
    for (uint32_t i = 0; i < map->via.map.size; i++) {
        const msgpack_object *k = &map->via.map.ptr[i].key;
        if (k->type == MSGPACK_OBJECT_STR && k->via.str.size == strlen(key) &&
            memcmp(k->via.str.ptr, key, k->via.str.size) == 0) {
            return &map->via.map.ptr[i].val;
        }
    }
    return NULL;
}

static void add_text(struct sb_buffer *line, const msgpack_object *o)
{
    if (!o || o->type != MSGPACK_OBJECT_STR) return;
    if (line->size) sb_buffer_add(line, " ", 1);
    /* Words that a shell would split are shown in quotes. */
    bool quote = !o->via.str.size;
    for (uint32_t i = 0; i < o->via.str.size; i++) quote |= strchr(" \t\n'\"$&;|<>()*?\\`", o->via.str.ptr[i]) != NULL;
    if (quote) sb_buffer_add(line, "'", 1);
    sb_buffer_add(line, o->via.str.ptr, o->via.str.size);
    if (quote) sb_buffer_add(line, "'", 1);
}

/* "(inputs 0, 1)": whose histories the step took. */
static void add_inputs(struct sb_buffer *line, const msgpack_object *places)
{
    char text[32];
    if (!places || places->type != MSGPACK_OBJECT_ARRAY) return;
    for (uint32_t i = 0; i < places->via.array.size; i++) {
        const msgpack_object *place = &places->via.array.ptr[i];
        const char *before = i ? ", " : places->via.array.size > 1 ? " (inputs " : " (input ";
        if (place->type != MSGPACK_OBJECT_POSITIVE_INTEGER) return; /* of a foreign header */
        snprintf(text, sizeof text, "%s%" PRIu64, before, place->via.u64);
        sb_buffer_add(line, text, strlen(text));
    }
    if (places->via.array.size) sb_buffer_add(line, ")", 1);
}

static void print_step(const msgpack_object *step, FILE *out)
{
    struct sb_buffer line = {0};
    struct sb_table t = {.align = "ll"};
    add_text(&line, member(step, "tool"));
    add_text(&line, member(step, "version"));
    const msgpack_object *args = member(step, "args"), *files = member(step, "files");
    for (uint32_t i = 0; args && args->type == MSGPACK_OBJECT_ARRAY && i < args->via.array.size; i++)
        add_text(&line, &args->via.array.ptr[i]);
    add_inputs(&line, member(step, "inputs"));
    fprintf(out, "  ");
    sb_text_print(out, line.data ? (char *)line.data : "?", line.data ? line.size : 1, LINE_MOST);
    putc('\n', out);
    for (uint32_t i = 0; files && files->type == MSGPACK_OBJECT_MAP && i < files->via.map.size; i++) {
        const msgpack_object_kv *f = &files->via.map.ptr[i];
        if (f->key.type != MSGPACK_OBJECT_STR || f->val.type != MSGPACK_OBJECT_STR) continue;
        sb_table_add(&t, "%.*s", (int)f->key.via.str.size, f->key.via.str.ptr);
        sb_table_add(&t, "%.*s", (int)f->val.via.str.size, f->val.via.str.ptr);
    }
    sb_table_print(&t, out, 6);
    sb_table_free(&t);
    free(line.data);
}

/* A value on one line, much as JSON would have it. */
static void print_value(FILE *out, const msgpack_object *o)
{
    switch (o->type) {
    case MSGPACK_OBJECT_BOOLEAN: fputs(o->via.boolean ? "true" : "false", out); break;
    case MSGPACK_OBJECT_POSITIVE_INTEGER: fprintf(out, "%" PRIu64, o->via.u64); break;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER: fprintf(out, "%" PRId64, o->via.i64); break;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64: fprintf(out, "%g", o->via.f64); break;
    case MSGPACK_OBJECT_STR: fprintf(out, "\"%.*s\"", (int)o->via.str.size, o->via.str.ptr); break;
    case MSGPACK_OBJECT_BIN: fprintf(out, "<%u bytes>", o->via.bin.size); break;
    case MSGPACK_OBJECT_EXT: fprintf(out, "<ext %d, %u bytes>", o->via.ext.type, o->via.ext.size); break;
    case MSGPACK_OBJECT_ARRAY:
        putc('[', out);
        for (uint32_t i = 0; i < o->via.array.size; i++) {
            if (i) fputs(", ", out);
            print_value(out, &o->via.array.ptr[i]);
        }
        putc(']', out);
        break;
    case MSGPACK_OBJECT_MAP:
        putc('{', out);
        for (uint32_t i = 0; i < o->via.map.size; i++) {
            if (i) fputs(", ", out);
            print_value(out, &o->via.map.ptr[i].key);
            fputs(": ", out);
            print_value(out, &o->via.map.ptr[i].val);
        }
        putc('}', out);
        break;
    default: fputs("null", out);
    }
}

static void print_key(const char *key, const msgpack_object *value, FILE *out)
{
    struct sb_buffer text = {0};
    FILE *f = sb_buffer_stdio(&text);
    print_value(f, value);
    fclose(f);
    fprintf(out, "  ");
    sb_text_print(out, key, strlen(key), 60);
    fprintf(out, ": ");
    sb_text_print(out, (const char *)text.data, text.size, LINE_MOST);
    putc('\n', out);
    free(text.data);
}

static void print_steps(const msgpack_object *history, FILE *out)
{
    if (history->type != MSGPACK_OBJECT_ARRAY) return;
    for (uint32_t i = 0; i < history->via.array.size; i++) print_step(&history->via.array.ptr[i], out);
}

static void print_histories(struct sb_record *header, FILE *out)
{
    msgpack_object o;
    if (sb_get_object(header, "history", &o) == 1 && o.type == MSGPACK_OBJECT_ARRAY && o.via.array.size) {
        fprintf(out, "\nhistory\n");
        print_steps(&o, out);
    }
    if (sb_get_object(header, "inputs", &o) != 1 || o.type != MSGPACK_OBJECT_ARRAY) return;
    for (uint32_t i = 0; i < o.via.array.size; i++) {
        fprintf(out, "\nhistory of input %" PRIu32 "\n", i);
        print_steps(&o.via.array.ptr[i], out);
    }
}

static bool is_printed(const char *key)
{
    return !strcmp(key, "seabot") || !strcmp(key, "history") || !strcmp(key, "inputs");
}

void sb_history_print(const struct sb_record *header, FILE *out)
{
    struct sb_record copy = {0};
    bool titled = false;
    sb_record_copy(&copy, header);
    print_histories(&copy, out);
    for (size_t i = 0; i < copy.count; i++) {
        msgpack_object o = {.type = MSGPACK_OBJECT_NIL}; /* stays so where a NUL is in the key */
        char *key = sb_strndup(copy.field[i].key, copy.field[i].key_size);
        if (!is_printed(key) && sb_get_object(&copy, key, &o) >= 0) {
            if (!titled) fprintf(out, "\nheader\n");
            titled = true;
            print_key(key, &o, out);
        }
        free(key);
    }
    sb_record_free(&copy);
}
