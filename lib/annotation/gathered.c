#include "annotation/gathered.h"

#include <stdlib.h>
#include <string.h>

void sb_gathered_begin(struct sb_gathered *g)
{
    msgpack_packer_init(&g->pk, &g->bytes, sb_buffer_write);
    g->bytes.size = g->count = 0;
    if (g->keys.count) sb_dictionary_free(&g->keys);
}

static void pack_text(struct sb_gathered *g, const char *text, size_t size)
{
    msgpack_pack_str(&g->pk, size);
    msgpack_pack_str_body(&g->pk, text, size);
}

void sb_gathered_text(struct sb_gathered *g, const char *text)
{
    pack_text(g, text, strlen(text));
    g->count++;
}

bool sb_gathered_key(struct sb_gathered *g, const char *key, size_t size)
{
    size_t before = g->keys.count;
    if (!size || sb_dictionary_add(&g->keys, key, size) < before) return false;
    pack_text(g, key, size);
    g->count++;
    return true;
}

bool sb_gathered_pair(struct sb_gathered *g, const char *key, size_t size, const char *text)
{
    if (!sb_gathered_key(g, key, size)) return false;
    pack_text(g, text, strlen(text));
    return true;
}

void sb_gathered_set_list(const struct sb_gathered *g, struct sb_record *fields, const char *field)
{
    if (g->count) sb_set_list(fields, field, g->count, g->bytes.data, g->bytes.size);
}

void sb_gathered_set_map(const struct sb_gathered *g, struct sb_record *fields, const char *field)
{
    struct sb_buffer map = {0};
    msgpack_packer pk;
    if (g->count == 0) return;
    msgpack_packer_init(&pk, &map, sb_buffer_write);
    msgpack_pack_map(&pk, g->count);
    sb_buffer_add(&map, g->bytes.data, g->bytes.size);
    sb_set_packed(fields, field, map.data, map.size);
    free(map.data);
}

void sb_gathered_free(struct sb_gathered *g)
{
    free(g->bytes.data);
    sb_dictionary_free(&g->keys);
}
