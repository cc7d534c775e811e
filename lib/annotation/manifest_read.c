/* A folder that sb-export pictures wrote: its records again, out of manifest.csv, as a person may have left it: sorted,
 * with columns moved, added or taken away, saved by a spreadsheet. Where the table is gone, what the pictures' own Exif
 * blocks say. */

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "annotation/format.h"
#include "annotation/manifest_cells.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "base/walk.h"
#include "formats/csv_columns.h"
#include "formats/names.h"
#include "media/exif.h"
#include "media/exif_note.h"

enum { HEAD = 1 << 17 }; /* bytes of a picture that its Exif block lies in */

struct reading {
    struct sb_annotated_list *list;
    const char *path;   /* the table */
    const char *folder; /* that its files lie in */
    struct sb_manifest_cells cells;
    struct sb_record fields;
    uint8_t *head;
};

/* ---- files ---- */

static bool is_picture(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && (!strcasecmp(dot, ".jpg") || !strcasecmp(dot, ".jpeg") || !strcasecmp(dot, ".png"));
}

/* What the picture's Exif block says; its texts are borrowed from r->head. */
static void read_note(struct reading *r, const char *path, struct sb_exif_note *note)
{
    const uint8_t *block = NULL;
    size_t size = 0;
    FILE *f = fopen(path, "rbe");
    if (!r->head) r->head = sb_malloc(HEAD);
    size_t n = f ? fread(r->head, 1, HEAD, f) : 0;
    if (f) fclose(f);
    if (!sb_exif_find(r->head, n, &block, &size)) size = 0;
    sb_exif_note_read(block, size, note);
}

/* Its number; -1 with a message. `path` is set if it is there. */
static int64_t add_file(struct reading *r, const char *file)
{
    size_t before = r->list->count;
    int64_t number = sb_annotated_picture(r->list, file, NAN);
    if (number < 0) return -1;
    struct sb_annotated *a = &r->list->item[number];
    if ((size_t)number < before) return sb_error("the file '%s' stands there twice", a->source);
    char *path = sb_name_join(r->folder, a->source);
    if (access(path, F_OK) == 0) {
        a->path = path;
    } else {
        free(path);
    }
    return number;
}

/* ---- rows ---- */

static bool is_id(const char *text, size_t size)
{
    return size == SB_HEX - 1 && strspn(text, "0123456789abcdef") >= size;
}

/* The id is the file's where the table's is lost: spreadsheets take 32 digits for a number. If both are there and
 * differ, a column was sorted without the others. */
static int set_id(struct reading *r, const struct sb_annotated *a, const char *id)
{
    struct sb_exif_note note;
    size_t size = strlen(id);
    read_note(r, a->path ? a->path : "", &note);
    bool known = is_id(id, size), noted = is_id(note.id ? note.id : "", note.id_size);
    if (known && noted && memcmp(id, note.id, size))
        return sb_error("its id is not that of its file, %s: were columns sorted apart?", a->source);
    if (noted && !known) {
        sb_set_text(&r->fields, "id", note.id, note.id_size);
    } else if (size) {
        sb_set_cstr(&r->fields, "id", id);
    }
    return 0;
}

static int read_row(struct reading *r, const struct sb_csv_table *t)
{
    const char *file = sb_csv_table_text(t, 0), *id = sb_csv_table_text(t, 1);
    if (!*file) {
        sb_annotated_unusable(r->list, r->path, "line %" PRIu64 ": it names no file", t->row->line);
        return 0;
    }
    int64_t number = add_file(r, file);
    if (number < 0) return -1;
    sb_record_reset(&r->fields);
    if (set_id(r, &r->list->item[number], id) || sb_manifest_cells_read(&r->cells, t, &r->fields)) return -1;
    sb_annotated_add(r->list, (size_t)number, NULL, &r->fields);
    return 0;
}

static int each_row(void *arg, const struct sb_csv_table *t)
{
    struct reading *r = arg;
    char why[800];
    if (read_row(r, t) == 0) return 0;
    snprintf(why, sizeof why, "%s", sb_error_message());
    return sb_error("line %" PRIu64 ": %s", t->row->line, why);
}

static int visit_rest(void *arg, const char *path, const char *below)
{
    struct reading *r = arg;
    (void)path;
    if (!is_picture(below) || sb_dictionary_find(&r->list->names, below, strlen(below)) >= 0) return 0;
    sb_annotated_skip_file(r->list, "without a line in the table", below, "");
    return 0;
}

static int read_table(struct reading *r)
{
    static const struct sb_csv_column columns[] = {{"file", true}, {"id", false}};
    if (sb_csv_table_load(r->path, columns, 2, each_row, r)) return -1;
    return sb_walk(r->folder, visit_rest, r);
}

/* ---- without a table ---- */

static void set_real(struct sb_record *fields, const char *field, double v)
{
    if (isfinite(v)) sb_set_real(fields, field, v);
}

static int visit_picture(void *arg, const char *path, const char *below)
{
    struct reading *r = arg;
    struct sb_exif_note note;
    if (!is_picture(below)) return 0;
    read_note(r, path, &note);
    if (!is_id(note.id ? note.id : "", note.id_size)) {
        sb_annotated_skip_file(r->list, "neither in a table nor with an id of its own", below, "");
        return 0;
    }
    int64_t number = add_file(r, below);
    if (number < 0) return -1;
    sb_record_reset(&r->fields);
    sb_set_text(&r->fields, "id", note.id, note.id_size);
    set_real(&r->fields, "time", note.time);
    set_real(&r->fields, "lat", note.latitude);
    set_real(&r->fields, "lon", note.longitude);
    set_real(&r->fields, "depth", note.depth);
    if (note.text_size && sb_utf8_valid(note.text, note.text_size))
        sb_set_text(&r->fields, "caption", note.text, note.text_size);
    sb_annotated_add(r->list, (size_t)number, NULL, &r->fields);
    return 0;
}

static int read_manifest(const char *path, const struct sb_annotation_options *o, struct sb_annotated_list *list)
{
    struct reading r = {.list = list, .cells.reading.zone = o->zone};
    struct stat st;
    if (stat(path, &st)) return sb_error("%s: %s", path, strerror(errno));
    bool is_folder = S_ISDIR(st.st_mode);
    const char *slash = strrchr(path, '/');
    char *table = is_folder ? sb_name_join(path, "manifest.csv") : sb_strdup(path);
    char *folder = is_folder ? sb_strdup(path)
                   : slash   ? sb_strndup(path, (size_t)(slash - path) + (slash == path))
                             : sb_strdup(".");
    r.path = table;
    r.folder = folder;
    int rc = access(table, F_OK) == 0 ? read_table(&r) : sb_walk(folder, visit_picture, &r);
    sb_manifest_cells_free(&r.cells);
    sb_record_free(&r.fields);
    free(r.head);
    free(table);
    free(folder);
    return rc;
}

const struct sb_annotation_format sb_manifest = {
    "manifest",   "FOLDER|manifest.csv...", "what sb-export pictures wrote, edited or not", "zone", true, true,
    read_manifest};
