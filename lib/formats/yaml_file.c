#include "formats/yaml_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/err.h"
#include "formats/json_file.h"

enum { DEEPEST = 64 };

struct reading {
    yaml_parser_t parser;
    yaml_event_t event; /* the last one, if `held` */
    bool held;
    const char *path;
};

static int fail(const struct reading *r, size_t line, const char *why)
{
    return sb_error("%s: line %zu: %s", r->path, line + 1, why);
}

static int next(struct reading *r)
{
    if (r->held) yaml_event_delete(&r->event);
    r->held = yaml_parser_parse(&r->parser, &r->event);
    if (r->held) return 0;
    const char *why = r->parser.problem ? r->parser.problem : "it is not YAML";
    return fail(r, r->parser.problem_mark.line, why);
}

/* Decimal digits with a sign, a point and an exponent; what is too large for an integer is a real number. */
static json_t *number(const char *text)
{
    const char *s = text + (*text == '-' || *text == '+');
    size_t whole = strspn(s, "0123456789"), behind = 0;
    const char *end = s + whole;
    if (*end == '.') {
        behind = strspn(end + 1, "0123456789");
        end += behind + 1;
    }
    if (whole + behind == 0) return NULL;
    if ((*end == 'e' || *end == 'E')) {
        const char *digits = end + 1 + (end[1] == '-' || end[1] == '+');
        size_t n = strspn(digits, "0123456789");
        if (n == 0) return NULL;
        end = digits + n;
    }
    if (*end) return NULL;
    errno = 0;
    long long integer = strtoll(text, NULL, 10);
    return s + whole == end && errno == 0 ? json_integer(integer) : json_real(strtod(text, NULL));
}

static json_t *scalar(const yaml_event_t *e)
{
    const char *text = (const char *)e->data.scalar.value;
    json_t *v = NULL;
    if (e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !e->data.scalar.tag) {
        if (!*text || !strcmp(text, "~") || !strcasecmp(text, "null")) return json_null();
        if (!strcmp(text, "true") || !strcmp(text, "True") || !strcmp(text, "TRUE")) return json_true();
        if (!strcmp(text, "false") || !strcmp(text, "False") || !strcmp(text, "FALSE")) return json_false();
        v = number(text);
    }
    return v ? v : json_stringn(text, e->data.scalar.length);
}

static json_t *value(struct reading *r, int depth);

static json_t *list(struct reading *r, int depth)
{
    json_t *all = json_array(), *one = NULL;
    while (next(r) == 0) {
        if (r->event.type == YAML_SEQUENCE_END_EVENT) return all;
        one = value(r, depth);
        if (!one || json_array_append_new(all, one)) break;
    }
    json_decref(all);
    return NULL;
}

static json_t *map(struct reading *r, int depth)
{
    json_t *all = json_object(), *one;
    while (next(r) == 0) {
        if (r->event.type == YAML_MAPPING_END_EVENT) return all;
        size_t line = r->event.start_mark.line;
        if (r->event.type != YAML_SCALAR_EVENT) {
            fail(r, line, "a key that is no text");
            break;
        }
        char *key = sb_strdup((const char *)r->event.data.scalar.value);
        bool twice = json_object_get(all, key) != NULL;
        if (twice) sb_error("%s: line %zu: the key '%.60s' stands twice", r->path, line + 1, key);
        one = twice || next(r) ? NULL : value(r, depth);
        int rc = one ? json_object_set_new(all, key, one) : -1;
        if (one && rc) fail(r, line, "a key that is not UTF-8");
        free(key);
        if (rc) break;
    }
    json_decref(all);
    return NULL;
}

/* The value that the event at hand begins; NULL with a message. */
static json_t *value(struct reading *r, int depth)
{
    json_t *v;
    size_t line = r->event.start_mark.line;
    if (depth == DEEPEST) {
        fail(r, line, "values inside of values, too many");
        return NULL;
    }
    switch (r->event.type) {
    case YAML_SEQUENCE_START_EVENT: return list(r, depth + 1);
    case YAML_MAPPING_START_EVENT: return map(r, depth + 1);
    case YAML_SCALAR_EVENT:
        v = scalar(&r->event);
        if (!v) fail(r, line, "a text or a number that can't be kept");
        return v;
    case YAML_ALIAS_EVENT: fail(r, line, "an alias (*): write out what it stands for"); return NULL;
    default: fail(r, line, "a value is wanted here"); return NULL;
    }
}

static json_t *document(struct reading *r)
{
    do {
        if (next(r)) return NULL;
    } while (r->event.type == YAML_STREAM_START_EVENT || r->event.type == YAML_DOCUMENT_START_EVENT);
    if (r->event.type != YAML_STREAM_END_EVENT) return value(r, 0);
    sb_error("%s: it is empty", r->path);
    return NULL;
}

int sb_yaml_read(const char *path, json_t **out)
{
    struct reading r = {.path = path};
    FILE *f = fopen(path, "rbe");
    *out = NULL;
    if (!f) return sb_error("%s: %s", path, strerror(errno));
    if (!yaml_parser_initialize(&r.parser)) sb_die("out of memory: no room for YAML");
    yaml_parser_set_input_file(&r.parser, f);
    *out = document(&r);
    if (r.held) yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    fclose(f);
    return *out ? 0 : -1;
}

int sb_yaml_or_json_read(const char *path, json_t **out)
{
    int c = sb_json_first(path);
    *out = NULL;
    if (c < -1) return -1;
    return c == '{' || c == '[' ? sb_json_read(path, out) : sb_yaml_read(path, out);
}
