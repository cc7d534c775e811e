#include "select/where.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "select/where_inner.h"

enum { UNLIKE = SB_WHERE_LESS | SB_WHERE_MORE };

/* ---- one value ---- */

static bool fits_text(struct sb_where *w, const struct sb_where_step *s, const char *text, size_t size)
{
    if (s->kind == SB_WHERE_MATCH) {
        fwrite(text, 1, size, sb_cell_begin(&w->cell)); /* for the NUL behind it */
        sb_cell_end(&w->cell);
        return regexec(s->regex, w->cell.text, 0, NULL, 0) == 0;
    }
    int order = memcmp(text, s->text, size < s->size ? size : s->size);
    if (order == 0) order = size < s->size ? -1 : size > s->size;
    return s->fits & (order < 0 ? SB_WHERE_LESS : order > 0 ? SB_WHERE_MORE : SB_WHERE_EQUAL);
}

/* single: it was a 32-bit one, whose decimal in an export reads back as the value only when that is rounded, too. */
static bool fits_number(const struct sb_where_step *s, double v, bool single)
{
    double with = single ? (double)(float)s->number : s->number;
    if (!s->is_number || isnan(v)) return s->fits == UNLIKE;
    return s->fits & (v < with ? SB_WHERE_LESS : v > with ? SB_WHERE_MORE : SB_WHERE_EQUAL);
}

/* A number of numpy's, whose size is not told: a fraction that 32 bits hold is one of 32 bits. */
static bool fits_scalar(const struct sb_where_step *s, double v)
{
    return fits_number(s, v, v == (double)(float)v && v != floor(v));
}

static bool fits_tensor(const struct sb_where_step *s, const struct sb_tensor *t)
{
    bool single = t->dtype == SB_F32 || t->dtype == SB_F16 || t->dtype == SB_BF16;
    for (int64_t i = 0, n = sb_tensor_count(t); i < n; i++)
        if (fits_number(s, sb_tensor_real(t, i), single)) return true;
    return false;
}

/* As a table shows it; with `number` one of the columns that are numbers. */
static int fits_cell(struct sb_where *w, const struct sb_where_step *s, struct sb_record *rec, bool number)
{
    int rc = sb_cell_text(&w->cell, rec, s->field);
    if (rc != 1) return rc;
    if (number && s->kind == SB_WHERE_COMPARE) return fits_number(s, strtod(w->cell.text, NULL), false);
    if (s->kind == SB_WHERE_MATCH) return regexec(s->regex, w->cell.text, 0, NULL, 0) == 0;
    return fits_text(w, s, w->cell.text, w->cell.size);
}

/* ---- a field ---- */

static int fits_value(struct sb_where *w, const struct sb_where_step *s, struct sb_record *rec,
                      const struct sb_field *f, bool outermost);

static int fits_list(struct sb_where *w, const struct sb_where_step *s, struct sb_record *rec, const uint8_t *at,
                     size_t left, uint64_t count)
{
    int rc = 0;
    for (; count && rc == 0; count--) {
        struct sb_field item = {
            .key = s->field, .key_size = strlen(s->field), .value = at, .size = sb_wire_value(at, left)};
        if (item.size == 0) return sb_error("field '%s': a list is not whole", s->field);
        rc = fits_value(w, s, rec, &item, false);
        at += item.size;
        left -= item.size;
    }
    return rc;
}

static int fits_value(struct sb_where *w, const struct sb_where_step *s, struct sb_record *rec,
                      const struct sb_field *f, bool outermost)
{
    struct sb_wire v;
    struct sb_tensor t;
    double real;
    bool compare = s->kind == SB_WHERE_COMPARE;
    if (sb_wire_head(f->value, f->size, &v) != 1) return sb_error("field '%s' holds no value", s->field);
    switch (v.type) {
    case SB_WIRE_NIL: return 0;
    case SB_WIRE_STR: return fits_text(w, s, (const char *)f->value + v.head, v.size);
    case SB_WIRE_ARRAY: return fits_list(w, s, rec, f->value + v.head, f->size - v.head, v.size);
    case SB_WIRE_UINT:
        if (compare) return fits_number(s, (double)v.v.u, false);
        break;
    case SB_WIRE_INT:
        if (compare) return fits_number(s, (double)v.v.i, false);
        break;
    case SB_WIRE_REAL:
        if (compare) return fits_number(s, v.v.real, v.single);
        break;
    case SB_WIRE_MAP:
        if (compare && sb_field_is_tensor(f)) return sb_field_tensor(f, rec, &t) < 0 ? -1 : fits_tensor(s, &t);
        if (compare && sb_field_is_scalar(f)) return sb_field_real(f, &real) < 0 ? -1 : fits_scalar(s, real);
        break;
    default: break;
    }
    return outermost ? fits_cell(w, s, rec, false) : 0;
}

/* Whether a column comes out of a field of another name, where the record has that (formats/cell.h). */
static bool is_derived(const struct sb_record *rec, const char *column, const struct sb_field *f)
{
    if (column[0] && !column[1] && strchr("xywh", column[0])) return !f || sb_record_find(rec, "box");
    return !f;
}

static int fits_field(struct sb_where *w, const struct sb_where_step *s, struct sb_record *rec)
{
    const struct sb_field *f = sb_record_find(rec, s->field);
    if (is_derived(rec, s->field, f)) return fits_cell(w, s, rec, strcmp(s->field, "predicted_label"));
    return fits_value(w, s, rec, f, true);
}

static int has_field(struct sb_where *w, const struct sb_where_step *s, struct sb_record *rec)
{
    struct sb_wire v;
    const struct sb_field *f = sb_record_find(rec, s->field);
    if (f && sb_wire_head(f->value, f->size, &v) == 1 && v.type != SB_WIRE_NIL) return 1;
    return is_derived(rec, s->field, f) ? sb_cell_text(&w->cell, rec, s->field) : 0;
}

/* ---- all of it ---- */

int sb_where_holds(struct sb_where *w, struct sb_record *rec)
{
    int holds = 0;
    for (size_t i = 0; i < w->count; i++) {
        const struct sb_where_step *s = &w->step[i];
        switch (s->kind) {
        case SB_WHERE_NOT: holds = !holds; break;
        case SB_WHERE_SKIP_IF:
            if (holds) i = s->to - 1;
            break;
        case SB_WHERE_SKIP_UNLESS:
            if (!holds) i = s->to - 1;
            break;
        case SB_WHERE_HAS: holds = has_field(w, s, rec); break;
        default: holds = fits_field(w, s, rec); break;
        }
        if (holds < 0) return -1;
    }
    return holds;
}

void sb_where_free(struct sb_where *w)
{
    if (!w) return;
    for (size_t i = 0; i < w->count; i++) {
        free(w->step[i].field);
        free(w->step[i].text);
        if (w->step[i].regex) regfree(w->step[i].regex);
        free(w->step[i].regex);
    }
    free(w->step);
    sb_cell_free(&w->cell);
    free(w);
}
