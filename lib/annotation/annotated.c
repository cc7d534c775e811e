#include "annotation/annotated.h"

#include <inttypes.h>
#include <math.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "annotation/problems.h"
#include "base/utf8.h"
#include "formats/names.h"

/* "./a//b\c.png" to "a/b/c.png". */
static char *plain_name(const char *name)
{
    char *out = sb_malloc(strlen(name) + 1), *to = out;
    for (const char *s = name; *s; s++) {
        char c = *s == '\\' ? '/' : *s;
        bool start = to == out || to[-1] == '/';
        if (c == '/' && start) continue;
        if (c == '.' && start && (s[1] == '/' || s[1] == '\\')) {
            s++;
            continue;
        }
        *to++ = c;
    }
    *to = 0;
    return out;
}

static int64_t add_picture(struct sb_annotated_list *list, const char *source, double pts, double time)
{
    char *name = plain_name(source);
    if (!*name || !sb_utf8_valid(name, strlen(name))) {
        sb_error(*name ? "the picture's name '%.200s' is not UTF-8" : "a picture without a name", name);
        free(name);
        return -1;
    }
    char *key = !isnan(pts)    ? sb_format("%s\n%.9f", name, pts) /* nanoseconds, as ids have it */
                : !isnan(time) ? sb_format("%s\n@%.9f", name, time)
                               : sb_strdup(name);
    size_t number = sb_dictionary_add(&list->names, key, strlen(key));
    free(key);
    if (number < list->count) {
        free(name);
        return (int64_t)number;
    }
    SB_GROW(list->item, list->cap, list->count + 1);
    list->item[list->count++] = (struct sb_annotated){.source = name, .pts = pts, .time = time};
    return (int64_t)number;
}

int64_t sb_annotated_picture(struct sb_annotated_list *list, const char *source, double pts)
{
    return add_picture(list, source, pts, NAN);
}

int64_t sb_annotated_moment(struct sb_annotated_list *list, const char *source, double time)
{
    return add_picture(list, source, NAN, time);
}

bool sb_annotated_is_moment(const struct sb_annotated *a) { return !isnan(a->pts) || !isnan(a->time); }

static size_t pack(struct sb_annotated_list *list, const struct sb_record *fields, size_t *size)
{
    size_t at = list->packed.size;
    msgpack_packer pk;
    msgpack_packer_init(&pk, &list->packed, sb_buffer_write);
    msgpack_pack_map(&pk, fields->count);
    for (size_t i = 0; i < fields->count; i++) {
        const struct sb_field *f = &fields->field[i];
        msgpack_pack_str(&pk, f->key_size);
        msgpack_pack_str_body(&pk, f->key, f->key_size);
        sb_buffer_add(&list->packed, f->value, f->size);
    }
    *size = list->packed.size - at;
    return at;
}

void sb_annotated_about(struct sb_annotated_list *list, size_t picture, const struct sb_record *fields)
{
    struct sb_annotated *a = &list->item[picture];
    a->at = pack(list, fields, &a->size);
}

void sb_annotated_add(struct sb_annotated_list *list, size_t picture, const double *box, const struct sb_record *fields)
{
    struct sb_annotated *a = &list->item[picture];
    struct sb_annotation one = {.boxed = box != NULL};
    if (box) memcpy(one.box, box, sizeof one.box);
    one.at = pack(list, fields, &one.size);
    SB_GROW(list->annotation, list->annotations_cap, list->annotations + 1);
    list->annotation[list->annotations++] = one;
    if (a->last) {
        list->annotation[a->last - 1].next = list->annotations;
    } else {
        a->first = list->annotations;
    }
    a->last = list->annotations;
}

void sb_annotated_skip(struct sb_annotated_list *list, const char *why)
{
    if (list->counts) sb_counts_skip(list->counts, why);
}

void sb_annotated_skip_file(struct sb_annotated_list *list, const char *why, const char *name, const char *matter)
{
    list->files++;
    if (list->counts) sb_counts_skip(list->counts, why);
    if (list->problems) sb_problems_add(list->problems, why, name, "%s", matter);
}

void sb_annotated_unusable(struct sb_annotated_list *list, const char *file, const char *fmt, ...)
{
    char why[512];
    va_list ap;
    list->unusable++;
    if (!list->problems) return;
    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    sb_problems_add(list->problems, "unusable", file, "%s", why);
}

void sb_annotated_fields(const struct sb_annotated_list *list, size_t at, size_t size, struct sb_record *out)
{
    sb_record_reset(out);
    if (size) sb_record_parse(out, list->packed.data + at, size); /* it was packed here */
}

void sb_annotated_free(struct sb_annotated_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        struct sb_annotated *a = &list->item[i];
        free(a->path);
        free(a->source);
        free(a->also);
        free(a->url);
        free(a->group);
    }
    free(list->item);
    free(list->annotation);
    free(list->packed.data);
    sb_dictionary_free(&list->names);
    memset(list, 0, sizeof *list);
}

bool sb_annotated_box_is_one(const double box[4])
{
    for (int i = 0; i < 4; i++) {
        if (!isfinite(box[i]) || fabs(box[i]) > 1e9) return false;
    }
    return box[2] > 0 && box[3] > 0;
}

int sb_annotated_group(struct sb_annotated_list *list, const char *regex)
{
    regex_t compiled;
    regmatch_t match[2];
    char why[200];
    int rc = regcomp(&compiled, regex, REG_EXTENDED);
    if (rc != 0) {
        regerror(rc, &compiled, why, sizeof why);
        return sb_error("regular expression '%s': %s", regex, why);
    }
    rc = 0;
    for (size_t i = 0; i < list->count && rc == 0; i++) {
        struct sb_annotated *a = &list->item[i];
        if (regexec(&compiled, a->source, 2, match, 0) != 0) {
            rc = sb_error("'%s' does not match the group's expression '%s'", a->source, regex);
            break;
        }
        regmatch_t m = compiled.re_nsub && match[1].rm_so >= 0 ? match[1] : match[0];
        if (m.rm_so == m.rm_eo) {
            rc = sb_error("'%s': the group's expression '%s' matches nothing of it", a->source, regex);
            break;
        }
        free(a->group);
        a->group = sb_strndup(a->source + m.rm_so, (size_t)(m.rm_eo - m.rm_so));
    }
    regfree(&compiled);
    return rc;
}

/* ---- where they lie ---- */

static bool find_one(struct sb_annotated *a, const char *name, const char *folder)
{
    for (const char *end = name; end;) {
        char *path = sb_name_join(folder, end);
        if (access(path, F_OK) == 0) {
            char *source = sb_strdup(end);
            free(a->source);
            a->source = source;
            a->path = path;
            return true;
        }
        free(path);
        const char *slash = strchr(end, '/');
        end = slash && slash[1] ? slash + 1 : NULL;
    }
    return false;
}

int64_t sb_annotated_find(struct sb_annotated_list *list, const char *folder)
{
    struct sb_dictionary seen = {0};
    int64_t missing = 0;
    for (size_t i = 0; i < list->count && missing >= 0; i++) {
        struct sb_annotated *a = &list->item[i];
        char *named = sb_strdup(a->source);
        size_t before = seen.count;
        if (!a->path && !find_one(a, a->source, folder) && !find_one(a, a->also, folder)) {
            missing++;
        } else if (sb_dictionary_add(&seen, a->source, strlen(a->source)) < before) {
            missing = sb_error("two pictures would be called '%s', one of them is '%s'", a->source, named);
        }
        free(named);
    }
    sb_dictionary_free(&seen);
    return missing;
}
