#include "annotation/viame_cells.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool sb_viame_number(const char *text, double *v)
{
    char *end;
    *v = strtod(text, &end);
    return end != text && !*end && isfinite(*v);
}

/* ---- species ---- */

static int by_score(const void *a, const void *b)
{
    const struct sb_viame_pair *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return x->name < y->name ? -1 : x->name > y->name; /* both in the row's memory: in the order that they stand in */
}

static void set_predicted(struct sb_viame_cells *c, struct sb_record *fields)
{
    struct sb_buffer b = {0};
    msgpack_packer pk;
    msgpack_packer_init(&pk, &b, sb_buffer_write);
    qsort(c->pair, c->pairs, sizeof *c->pair, by_score);
    msgpack_pack_array(&pk, c->pairs);
    for (size_t i = 0; i < c->pairs; i++) {
        size_t size = strlen(c->pair[i].name);
        msgpack_pack_array(&pk, 2);
        msgpack_pack_str(&pk, size);
        msgpack_pack_str_body(&pk, c->pair[i].name, size);
        msgpack_pack_double(&pk, c->pair[i].score);
    }
    sb_set_cstr(fields, "label", c->pair[0].name);
    sb_set_packed(fields, "predicted", b.data, b.size);
    free(b.data);
}

static bool is_name(const char *cell) { return *cell && *cell != '('; }

/* The number of the first cell behind the pairs. */
static size_t read_pairs(struct sb_viame_cells *c, const struct sb_csv_row *row, struct sb_record *fields)
{
    size_t i = SB_VIAME_PAIRS;
    double score;
    c->pairs = 0;
    for (; i + 1 < row->count && is_name(row->cell[i]) && sb_viame_number(row->cell[i + 1], &score); i += 2) {
        SB_GROW(c->pair, c->cap, c->pairs + 1);
        c->pair[c->pairs++] = (struct sb_viame_pair){row->cell[i], score};
    }
    if (c->pairs) {
        set_predicted(c, fields);
    } else if (i < row->count && is_name(row->cell[i])) {
        sb_set_cstr(fields, "label", row->cell[i++]); /* a name without a score */
    }
    return i;
}

/* ---- cells in parentheses ---- */

/* "name some value" */
static bool add_attribute(struct sb_gathered *g, const char *text)
{
    size_t name = strcspn(text, " ");
    return sb_gathered_pair(g, text, name, text + name + strspn(text + name, " "));
}

/* "some name x y" */
static bool add_keypoint(struct sb_gathered *g, const char *text)
{
    const char *y = strrchr(text, ' '), *x = y;
    double at[2];
    if (!y) return false;
    while (x > text && x[-1] == ' ') x--; /* the end of x */
    while (x > text && x[-1] != ' ') x--;
    char *first = sb_strndup(x, strcspn(x, " "));
    bool good = sb_viame_number(first, &at[0]) && sb_viame_number(y + 1, &at[1]);
    free(first);
    while (x > text && x[-1] == ' ') x--; /* the end of the name */
    if (!good || !sb_gathered_key(g, text, (size_t)(x - text))) return false;
    msgpack_pack_array(&g->pk, 2);
    msgpack_pack_double(&g->pk, at[0]);
    msgpack_pack_double(&g->pk, at[1]);
    return true;
}

/* "x y x y x y" */
static bool add_polygon(struct sb_viame_cells *c, const char *text, struct sb_record *fields)
{
    double around[4];
    struct sb_shape_numbers *p = &c->polygon;
    char *end;
    if (sb_record_find(fields, "points")) return false;
    for (p->count = 0; *text; text = end) {
        SB_GROW(p->v, p->cap, p->count + 1);
        p->v[p->count++] = strtod(text, &end);
        if (end == text || (*end && *end != ' ')) return false;
        while (*end == ' ') end++;
    }
    return sb_shape_set(fields, SB_SHAPE_POLYGON, p->v, p->count, around) >= 0;
}

static bool add_note(const char *text, struct sb_record *fields)
{
    if (!*text || sb_record_find(fields, "note")) return false;
    sb_set_cstr(fields, "note", text);
    return true;
}

/* What follows the keyword, or NULL if the cell has another one. */
static const char *keyword(const char *cell, const char *word)
{
    size_t size = strlen(word);
    if (strncmp(cell, word, size)) return NULL;
    return cell + size + strspn(cell + size, " ");
}

static void read_cell(struct sb_viame_cells *c, const char *cell, struct sb_record *fields)
{
    const char *rest;
    bool kept = false;
    if ((rest = keyword(cell, "(atr)"))) {
        kept = add_attribute(&c->attributes, rest);
    } else if ((rest = keyword(cell, "(trk-atr)"))) {
        kept = add_attribute(&c->track_attributes, rest);
    } else if ((rest = keyword(cell, "(kp)"))) {
        kept = add_keypoint(&c->keypoints, rest);
    } else if ((rest = keyword(cell, "(note)"))) {
        kept = add_note(rest, fields);
    } else if ((rest = keyword(cell, "(poly)")) || (rest = keyword(cell, "(+poly)"))) {
        kept = add_polygon(c, rest, fields);
    }
    if (!kept) sb_gathered_text(&c->other, cell);
}

void sb_viame_cells_read(struct sb_viame_cells *c, const struct sb_csv_row *row, struct sb_record *fields)
{
    sb_gathered_begin(&c->attributes);
    sb_gathered_begin(&c->track_attributes);
    sb_gathered_begin(&c->keypoints);
    sb_gathered_begin(&c->other);
    for (size_t i = read_pairs(c, row, fields); i < row->count; i++)
        if (*row->cell[i]) read_cell(c, row->cell[i], fields);
    sb_gathered_set_map(&c->keypoints, fields, "keypoints");
    sb_gathered_set_map(&c->attributes, fields, "attributes");
    sb_gathered_set_map(&c->track_attributes, fields, "track_attributes");
    sb_gathered_set_list(&c->other, fields, "viame");
}

void sb_viame_cells_free(struct sb_viame_cells *c)
{
    sb_gathered_free(&c->attributes);
    sb_gathered_free(&c->track_attributes);
    sb_gathered_free(&c->keypoints);
    sb_gathered_free(&c->other);
    free(c->pair);
    free(c->polygon.v);
}
