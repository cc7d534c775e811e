#include "stream/several.h"

#include <stdlib.h>
#include <string.h>

#include "base/dictionary.h"
#include "stream/history.h"
#include "stream/reader.h"

static bool same_value(const struct sb_field *a, const struct sb_field *b)
{
    return a && b && a->size == b->size && !memcmp(a->value, b->value, a->size);
}

static bool same_header(const struct sb_record *a, const struct sb_record *b)
{
    if (a->count != b->count) return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct sb_field *x = &a->field[i], *y = &b->field[i];
        if (x->key_size != y->key_size || memcmp(x->key, y->key, x->key_size) || !same_value(x, y)) return false;
    }
    return true;
}

/* ---- open and close ---- */

static int open_one(struct sb_several *s, size_t i)
{
    uint64_t base;
    struct sb_reader *r = sb_reader_open(s->path[i]);
    if (!r) return -1;
    s->reader[i] = r;
    s->name[i] = sb_strdup(sb_reader_name(r));
    sb_record_copy(&s->header[i], sb_reader_header(r));
    if (sb_history_check(&s->header[i])) {
        char *why = sb_strdup(sb_error_message());
        sb_error("%s: %s", s->name[i], why);
        free(why);
        return -1;
    }
    bool standard = !strcmp(s->path[i], "-");
    if (!standard && sb_reader_seekable(r, &base) >= 0 && s->header[i].count) sb_several_done(s, i);
    return 0;
}

int sb_several_open(struct sb_several *s, char **path, size_t count)
{
    *s = (struct sb_several){
        .path = path,
        .count = count,
        .reader = sb_calloc(count + 1, sizeof *s->reader),
        .header = sb_calloc(count + 1, sizeof *s->header),
        .name = sb_calloc(count + 1, sizeof *s->name),
    };
    for (size_t i = 0; i < count; i++)
        if (open_one(s, i)) return -1;
    return 0;
}

struct sb_reader *sb_several_take(struct sb_several *s, size_t i)
{
    if (s->reader[i]) return s->reader[i];
    s->reader[i] = sb_reader_open(s->path[i]);
    if (!s->reader[i] || same_header(sb_reader_header(s->reader[i]), &s->header[i])) return s->reader[i];
    sb_error("%s: changed while it was being read", s->name[i]);
    return NULL;
}

void sb_several_done(struct sb_several *s, size_t i)
{
    sb_reader_close(s->reader[i]);
    s->reader[i] = NULL;
}

void sb_several_free(struct sb_several *s)
{
    for (size_t i = 0; i < s->count; i++) {
        sb_reader_close(s->reader[i]);
        sb_record_free(&s->header[i]);
        free(s->name[i]);
    }
    free(s->reader);
    free(s->header);
    free(s->name);
    memset(s, 0, sizeof *s);
}

/* ---- what headers have in common ---- */

static bool is_own(const char *key)
{
    return !strcmp(key, "seabot") || !strcmp(key, "history") || !strcmp(key, "inputs");
}

/* The first stream whose value is not that of the first one; count if there is none. */
static size_t first_other(const struct sb_several *s, const char *key)
{
    const struct sb_field *first = sb_record_find(&s->header[0], key);
    for (size_t i = 1; i < s->count; i++) {
        const struct sb_field *f = sb_record_find(&s->header[i], key);
        if ((first || f) && !same_value(first, f)) return i;
    }
    return s->count;
}

void sb_several_common(const struct sb_several *s, struct sb_record *out,
                       void (*differs)(void *arg, const char *key, size_t a, size_t b), void *arg)
{
    struct sb_dictionary keys = {0};
    sb_record_reset(out);
    for (size_t i = 0; i < s->count; i++)
        for (size_t k = 0; k < s->header[i].count; k++)
            sb_dictionary_add(&keys, s->header[i].field[k].key, s->header[i].field[k].key_size);
    for (size_t k = 0; k < keys.count; k++) {
        const char *key = keys.text[k];
        if (is_own(key)) continue;
        size_t other = first_other(s, key);
        const struct sb_field *f = sb_record_find(&s->header[0], key);
        if (other < s->count)
            differs(arg, key, 0, other);
        else if (f)
            sb_set_packed(out, key, f->value, f->size);
    }
    sb_dictionary_free(&keys);
}
