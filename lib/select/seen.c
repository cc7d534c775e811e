#include "select/seen.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/xxh3.h"

void sb_seen_input(struct sb_seen *s)
{
    SB_GROW(s->first, s->inputs_cap, s->inputs + 1);
    s->first[s->inputs++] = s->id.count;
}

enum sb_seen_how sb_seen_add(struct sb_seen *s, const char *id, size_t id_size, const void *bytes, size_t size,
                             size_t *input)
{
    bool added;
    uint64_t check = XXH3_64bits(bytes, size);
    size_t number = sb_hash_table_add(&s->id, sb_hash_bytes(id, id_size), &added);
    if (added) {
        SB_GROW(s->check, s->cap, s->id.count);
        s->check[number] = check;
        return SB_SEEN_NEW;
    }
    *input = s->inputs - 1;
    while (*input && s->first[*input] > number) --*input;
    return s->check[number] == check ? SB_SEEN_AGAIN : SB_SEEN_OTHER;
}

void sb_seen_free(struct sb_seen *s)
{
    sb_hash_table_free(&s->id);
    free(s->check);
    free(s->first);
    memset(s, 0, sizeof *s);
}
