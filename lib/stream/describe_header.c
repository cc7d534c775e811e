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
        if (k->type == MSGPACK_OBJECT_STR && k->via.str.size == strlen(key) && memcmp(k->via.str.ptr, key, k->via.str.size) == 0) {
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

static void print_step(const msgpack_object *step, FILE *out)
{
    struct sb_buffer line = {0};
    struct sb_table t = {.align = "ll"};
    add_text(&line, member(step, "tool"));
    add_text(&line, member(step, "version"));
    const msgpack_object *args = member(step, "args"), *files = member(step, "files");
    for (uint32_t i = 0; args && args->type == MSGPACK_OBJECT_ARRAY && i < args->via.array.size; i++) add_text(&line, &args->via.array.ptr[i]);
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

void sb_history_print(const struct sb_record *header, FILE *out)
{
    struct sb_record copy = {0};
    msgpack_object o;
    char text[LINE_MOST + 8];
    bool titled = false;
    sb_record_copy(&copy, header);
    if (sb_get_object(&copy, "history", &o) == 1 && o.type == MSGPACK_OBJECT_ARRAY && o.via.array.size) {
        fprintf(out, "\nhistory\n");
        for (uint32_t i = 0; i < o.via.array.size; i++) print_step(&o.via.array.ptr[i], out);
    }
    for (size_t i = 0; i < copy.count; i++) {
        char *key = sb_strndup(copy.field[i].key, copy.field[i].key_size);
        if (strcmp(key, "seabot") != 0 && strcmp(key, "history") != 0 && sb_get_object(&copy, key, &o) >= 0) {
            if (!titled) fprintf(out, "\nheader\n");
            titled = true;
            int n = msgpack_object_print_buffer(text, sizeof text, o);
            fprintf(out, "  ");
            sb_text_print(out, key, strlen(key), 60);
            fprintf(out, ": ");
            sb_text_print(out, text, n > 0 ? strnlen(text, sizeof text) : 0, LINE_MOST);
            putc('\n', out);
        }
        free(key);
    }
    sb_record_free(&copy);
}
