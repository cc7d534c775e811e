#include "formats/label_map.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/err.h"
#include "formats/csv_read.h"

enum { UNMAPPED_MOST = 4096, SHOWN = 10 };

struct reading {
    struct sb_label_map *map;
    bool begun, aphia; /* past the first row; the third column is an AphiaID */
};

/* ---- reading ---- */

static bool is_header(const struct sb_csv_row *row)
{
    const char *a = row->cell[0], *b = row->count > 1 ? row->cell[1] : "";
    return !strcasecmp(a, "label") || (!strcasecmp(a, "old") && !strcasecmp(b, "new")) ||
           (!strcasecmp(a, "from") && !strcasecmp(b, "to"));
}

static int aphia_id(const char *cell, uint64_t line, int64_t *id)
{
    static const char lsid[] = "urn:lsid:marinespecies.org:taxname:";
    const char *digits = strncasecmp(cell, lsid, sizeof lsid - 1) ? cell : cell + sizeof lsid - 1;
    size_t n = strspn(digits, "0123456789");
    *id = strtoll(digits, NULL, 10);
    if (n == 0 || n > 12 || digits[n] || *id == 0)
        return sb_error("line %" PRIu64 ": '%.60s' is no AphiaID", line, cell);
    return 0;
}

static int add(struct sb_label_map *map, const struct sb_csv_row *row, int64_t id)
{
    const char *from = row->cell[0], *to = row->cell[1];
    size_t before = map->from.count;
    uint32_t number = sb_dictionary_add(&map->from, from, strlen(from));
    if (map->from.count > before) {
        SB_GROW(map->target, map->cap, map->from.count);
        map->target[number] = (struct sb_label_target){sb_strdup(to), id};
        return 0;
    }
    const struct sb_label_target *old = &map->target[number];
    if (strcmp(old->name, to))
        return sb_error("line %" PRIu64 ": '%.60s' becomes '%.60s', and '%.60s' above", row->line, from, to, old->name);
    if (old->aphia_id != id)
        return sb_error("line %" PRIu64 ": '%.60s' has another AphiaID than above", row->line, from);
    return 0;
}

static int each_row(void *arg, const struct sb_csv_row *row)
{
    struct reading *r = arg;
    int64_t id = 0;
    bool first = !r->begun, header = first && is_header(row);
    r->begun = true;
    if (first)
        r->aphia = !header ||
                   (row->count > 2 && (!strcasecmp(row->cell[2], "aphia_id") || !strcasecmp(row->cell[2], "aphiaid")));
    if (header) return 0;
    if (row->count < 2)
        return sb_error("line %" PRIu64 ": one cell where two are wanted, the old name and the new", row->line);
    if (!*row->cell[0]) return sb_error("line %" PRIu64 ": it has no old name", row->line);
    if (sb_csv_row_utf8(row)) return -1;
    if (r->aphia && row->count > 2 && *row->cell[2] && aphia_id(row->cell[2], row->line, &id)) return -1;
    return add(r->map, row, id);
}

int sb_label_map_read(const char *path, struct sb_label_map *map)
{
    struct reading r = {.map = map};
    memset(map, 0, sizeof *map);
    if (sb_csv_load(path, each_row, &r)) return -1;
    return map->from.count ? 0 : sb_error("%s: it maps no name", path);
}

/* ---- use ---- */

static void count_unmapped(struct sb_label_map *map, const char *name, size_t size)
{
    if (map->unmapped.count >= UNMAPPED_MOST && sb_dictionary_find(&map->unmapped, name, size) < 0) {
        map->others++;
        return;
    }
    size_t before = map->unmapped.count;
    uint32_t number = sb_dictionary_add(&map->unmapped, name, size);
    SB_GROW(map->times, map->times_cap, map->unmapped.count);
    if (map->unmapped.count > before) map->times[number] = 0;
    map->times[number]++;
}

const struct sb_label_target *sb_label_map_find(struct sb_label_map *map, const char *name, size_t size)
{
    if (size == 0) return NULL;
    int64_t number = sb_dictionary_find(&map->from, name, size);
    if (number >= 0) return &map->target[number];
    count_unmapped(map, name, size);
    return NULL;
}

struct unmapped {
    const char *name;
    uint64_t times;
};

static int by_times(const void *a, const void *b)
{
    const struct unmapped *x = a, *y = b;
    if (x->times != y->times) return x->times > y->times ? -1 : 1;
    return strcmp(x->name, y->name);
}

void sb_label_map_report(const struct sb_label_map *map, const char *path)
{
    size_t n = map->unmapped.count;
    if (n == 0) return;
    struct unmapped *u = sb_malloc(n * sizeof *u);
    for (size_t i = 0; i < n; i++) u[i] = (struct unmapped){map->unmapped.text[i], map->times[i]};
    qsort(u, n, sizeof *u, by_times);
    struct sb_buffer list = {0};
    FILE *f = sb_buffer_stdio(&list);
    for (size_t i = 0; i < n && i < SHOWN; i++)
        fprintf(f, "%s'%.60s' (%" PRIu64 ")", i ? ", " : "", u[i].name, u[i].times);
    if (n > SHOWN) fprintf(f, ", and %zu more%s", n - SHOWN, map->others ? " at least" : "");
    putc(0, f);
    fclose(f);
    sb_warn("%s: %zu name%s not in it and stay%s: %s", path, n, n == 1 ? " is" : "s are", n == 1 ? "s" : "",
            (char *)list.data);
    free(list.data);
    free(u);
}

void sb_label_map_free(struct sb_label_map *map)
{
    for (size_t i = 0; i < map->from.count; i++) free(map->target[i].name);
    free(map->target);
    free(map->times);
    sb_dictionary_free(&map->from);
    sb_dictionary_free(&map->unmapped);
    memset(map, 0, sizeof *map);
}
