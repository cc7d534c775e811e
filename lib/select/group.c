#include "select/group.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int sb_group_by_parse(struct sb_group_by *by, const char *text)
{
    static const struct { const char *word; enum sb_group_kind kind; } words[] = {
        {"group", SB_BY_GROUP}, {"source", SB_BY_SOURCE}, {"id", SB_BY_ID}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(text, words[i].word)) {
            by->kind = words[i].kind;
            return 0;
        }
    if (strncmp(text, "time:", 5)) return sb_error("'%s' is none of group, source, id, time:SECONDS", text);
    char *end;
    by->kind = SB_BY_TIME;
    by->seconds = strtod(text + 5, &end);
    if (end == text + 5 || *end || !isfinite(by->seconds) || by->seconds < 0.001)
        return sb_error("'%s': the seconds must be a number of at least 0.001", text);
    return 0;
}

/* A field that names something: a text, or a number as its text. */
static int add_name(const struct sb_record *rec, const char *field, struct sb_buffer *key)
{
    const char *text;
    size_t size;
    int64_t number;
    int found = sb_get_text(rec, field, &text, &size);
    if (found > 0) {
        sb_buffer_add(key, text, size);
        return size > 0;
    }
    if (found < 0 && sb_get_int(rec, field, &number) > 0) {
        char digits[32];
        sb_buffer_add(key, digits, (size_t)snprintf(digits, sizeof digits, "%lld", (long long)number));
        return 1;
    }
    return found;
}

static int add_window(const struct sb_record *rec, double seconds, struct sb_buffer *key)
{
    char text[64];
    double at;
    int found = sb_get_real(rec, "time", &at);
    if (!found) {
        if ((found = add_name(rec, "source", key)) <= 0) return found;
        found = sb_get_real(rec, "pts", &at);
    }
    if (found <= 0) return found;
    if (!isfinite(at)) return sb_error("its time is not a finite number");
    sb_buffer_add(key, text, (size_t)snprintf(text, sizeof text, "\n%.0f", floor(at / seconds)));
    return 1;
}

int sb_group_key(const struct sb_group_by *by, const struct sb_record *rec, struct sb_buffer *key)
{
    key->size = 0;
    switch (by->kind) {
    case SB_BY_GROUP: return add_name(rec, "group", key);
    case SB_BY_SOURCE: return add_name(rec, "source", key);
    case SB_BY_ID: return add_name(rec, "id", key);
    case SB_BY_TIME: return add_window(rec, by->seconds, key);
    }
    return 0;
}
