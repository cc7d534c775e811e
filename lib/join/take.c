#include "join/take.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_label(const char *name) { return !strcmp(name, "label") || !strcmp(name, "labels"); }

static bool takes(const struct sb_join_taking *t, const char *name)
{
    bool moment = !strcmp(name, "pts") || !strcmp(name, "time") || !strcmp(name, "duration");
    if (moment && t->nearby && t->rows->taken.count == 0) return false;
    return sb_join_rows_take(t->rows, name);
}

/* ---- labels ---- */

struct labels {
    bool brought, changed, removed;
};

static bool says_the_same(const struct sb_record *a, const struct sb_record *b, const char *name)
{
    const struct sb_field *x = sb_record_find(a, name), *y = sb_record_find(b, name);
    return x && y && x->size == y->size && memcmp(x->value, y->value, x->size) == 0;
}

/* Who gave a label and whether it was checked goes with the label: what stands in a table is believed unless the label
 * was changed beside it and it was not. */
static void credit(const struct sb_join_taking *t, const char *name, const char *given, const char *usual,
                   const struct labels *l, const struct sb_record *from, struct sb_record *out)
{
    const struct sb_field *cell = takes(t, name) ? sb_record_find(&t->fields, name) : NULL;
    bool stale = l->changed && (!cell || says_the_same(&t->fields, from, name));
    if (given)
        sb_set_cstr(out, name, given);
    else if (usual && (!cell || stale))
        sb_set_cstr(out, name, usual);
    else if (stale && !cell)
        sb_record_remove(out, name);
}

/* What is said of a label does not hold for another one, unless the row says it anew. */
static void drop_stale(const struct sb_join_taking *t, const struct sb_record *from, struct sb_record *out)
{
    static const char *const of_label[] = {"aphia_id", "label_path", "labelled_at"};
    bool labelled = sb_record_find(from, "label") || sb_record_find(out, "label");
    if (!labelled || says_the_same(from, out, "label")) return;
    for (size_t i = 0; i < sizeof of_label / sizeof *of_label; i++) {
        bool said = !t->rows->text && takes(t, of_label[i]) && sb_record_find(&t->fields, of_label[i]);
        if (!said && says_the_same(from, out, of_label[i])) sb_record_remove(out, of_label[i]);
    }
}

static void remove_label(struct sb_join_taking *t, struct labels *l, struct sb_record *out, const char *name)
{
    if (!sb_record_find(out, name)) return;
    sb_record_remove(out, name);
    t->unlabelled++;
    l->removed = true;
}

/* Once all fields are taken: who is behind the labels. */
static void settle_labels(const struct sb_join_taking *t, const struct labels *l, const struct sb_record *from,
                          struct sb_record *out)
{
    if (l->brought) {
        credit(t, "label_status", t->status, t->rows->text ? "verified" : NULL, l, from, out);
        credit(t, "labelled_by", t->by, NULL, l, from, out);
    } else if (l->removed && !sb_record_find(out, "label") && !sb_record_find(out, "labels")) {
        sb_record_remove(out, "label_status");
        sb_record_remove(out, "labelled_by");
    }
}

/* ---- fields ---- */

/* 1 if the field has another value now, 0 if not, -1 with a message. */
static int take_text(struct sb_join_taking *t, struct labels *l, struct sb_record *out, const char *name)
{
    const char *text = "";
    if (sb_get_cstr(&t->fields, name, &text) < 0) return -1;
    if (is_label(name) && !*text) remove_label(t, l, out, name);
    return sb_cell_read(&t->rows->reading, out, name, text);
}

static int take_value(const struct sb_record *fields, struct sb_record *out, const char *name, const struct sb_field *f)
{
    if (says_the_same(fields, out, name)) return 0;
    sb_set_packed(out, name, f->value, f->size);
    return 1;
}

static int take_sides(struct sb_join_taking *t, struct sb_record *out)
{
    static const char *const side[] = {"x", "y", "w", "h"};
    const char *text[4] = {"", "", "", ""};
    if (!takes(t, "x")) return 0;
    for (int i = 0; i < 4; i++)
        if (sb_get_cstr(&t->fields, side[i], &text[i]) < 0) return -1;
    return sb_cell_read_box(&t->rows->reading, out, text);
}

/* All fields but the id: 1 if there is another box now. */
static int take_fields(struct sb_join_taking *t, const struct sb_record *from, struct sb_record *out)
{
    bool text = t->rows->text, boxed = false;
    struct labels labels = {0};
    size_t count = t->fields.count; /* getters add none */
    for (size_t i = 0; i < count; i++) {
        const struct sb_field *f = &t->fields.field[i];
        char name[512];
        if (f->key_size >= sizeof name) return sb_error("a field's name has %zu bytes", f->key_size);
        memcpy(name, f->key, f->key_size);
        name[f->key_size] = 0;
        if (!takes(t, name)) continue;
        int changed = text ? take_text(t, &labels, out, name) : take_value(&t->fields, out, name, f);
        if (changed < 0) return -1;
        boxed = boxed || (changed && !strcmp(name, "box"));
        bool emptied = text && is_label(name) && f->size == 1;
        labels.brought = labels.brought || (is_label(name) && !emptied);
        labels.changed = labels.changed || (is_label(name) && changed);
    }
    int sides = text ? take_sides(t, out) : 0;
    if (sides < 0) return -1;
    settle_labels(t, &labels, from, out);
    drop_stale(t, from, out);
    return boxed || sides;
}

/* ---- ids ---- */

static int box_id(struct sb_record *out, char id[SB_HEX])
{
    const char *source = "";
    double pts = 0;
    struct sb_tensor box;
    float side[4];
    int named = sb_get_cstr(out, "source", &source);
    if (named == 0) named = sb_get_cstr(out, "id", &source); /* that of the picture tells it apart, too */
    if (named < 0 || sb_get_real(out, "pts", &pts) < 0 ||
        sb_get_tensor(out, "box", &box) < 0)
        return -1;
    if (box.ndim != 1 || box.shape[0] != 4 || (box.dtype != SB_F32 && box.dtype != SB_F64))
        return sb_error("the row's box does not hold 4 numbers");
    for (int i = 0; i < 4; i++)
        side[i] = box.dtype == SB_F32 ? ((const float *)box.data)[i] : (float)((const double *)box.data)[i];
    sb_hash_id(source, fabs(pts) < 9e9 ? llround(pts * 1e9) : 0, side, id);
    return 0;
}

/* False if a record before had it. */
static bool is_new(struct sb_join_taking *t, const char *id, size_t size)
{
    bool added;
    sb_hash_table_add(&t->ids, sb_hash_bytes(id, size), &added);
    return added;
}

static void hash_on(char id[SB_HEX], const char *own, size_t size, size_t nth)
{
    char *whole = sb_format("%s %.*s %zu", id, (int)size, own, nth);
    sb_hash_hex(sb_hash_bytes(whole, strlen(whole)), id);
    free(whole);
}

static int identify(struct sb_join_taking *t, bool boxed, size_t nth, const struct sb_record *from,
                    struct sb_record *out)
{
    char id[SB_HEX] = "";
    const char *own = "";
    size_t size = 0;
    bool had_box = sb_record_find(from, "box") && sb_record_find(from, "parent");
    if (sb_get_text(from, "id", &own, &size) < 0 || (boxed && box_id(out, id) < 0)) return -1;
    if (!boxed && (nth == 0 || !size)) { /* it stays, or there stays none */
        if (size) is_new(t, own, size);
        return 0;
    }
    if (!boxed) hash_on(id, own, size, nth);
    while (!is_new(t, id, strlen(id))) hash_on(id, own, size, nth);
    if (!had_box && size) sb_set_text(out, "parent", own, size);
    sb_set_cstr(out, "id", id);
    return 0;
}

/* ---- the record ---- */

int sb_join_take(struct sb_join_taking *t, size_t row, size_t nth, const struct sb_record *from, struct sb_record *out)
{
    sb_record_borrow(out, from);
    sb_join_row_fields(t->rows, row, &t->fields);
    int boxed = take_fields(t, from, out);
    return boxed < 0 ? -1 : identify(t, boxed, nth, from, out);
}

void sb_join_taking_free(struct sb_join_taking *t)
{
    sb_record_free(&t->fields);
    sb_hash_table_free(&t->ids);
}
