/* YOLO's layout, as Ultralytics documents it: images/train/a.jpg, labels/train/a.txt and data.yaml, which names the
 * classes and the folders.
 *
 * Records of a picture need not come one after the other, and classes are numbered by name: lines of label files wait
 * in memory, pictures are written as they come, and all files appear at the end. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "annotation/yolo_data.h"
#include "annotation/yolo_line.h"
#include "base/buffer.h"
#include "base/dictionary.h"
#include "formats/exporter.h"
#include "formats/names.h"
#include "formats/picture_files.h"

/* A line that waits. */
struct line {
    uint32_t class;
    size_t at, size; /* its text behind the class */
    size_t next;     /* number + 1 of the picture's next line; 0: it is the last */
};

struct picture {
    char *name;  /* "train/a.jpg": below images/, and of its label file below labels/ */
    size_t stem; /* bytes of it before its extension */
    bool written;
    size_t first, last; /* numbers + 1 of its lines */
};

struct run {
    struct sb_view view;
    const struct sb_export_options *o;
    struct sb_dictionary keys, names, splits, classes; /* keys: of pictures; names: of files that are taken */
    struct picture *picture;                           /* [keys.count] */
    struct line *line;
    size_t picture_cap, lines, line_cap;
    struct sb_buffer text;
    struct sb_picture_files encoder;
    struct sb_output **file; /* all that were written */
    size_t files, file_cap;
    bool unsplit;
};

/* ---- files ---- */

static int make_folder(const char *path)
{
    return mkdir(path, 0777) == 0 || errno == EEXIST ? 0 : sb_error("%s: %s", path, strerror(errno));
}

/* images/ and labels/, or one folder of a split in each. */
static int make_folders(const struct run *r, const char *split)
{
    static const char *const kind[] = {"images", "labels"};
    for (size_t i = 0; i < 2; i++) {
        char *path = sb_format("%s/%s%s%s", r->o->folder, kind[i], *split ? "/" : "", split);
        int rc = make_folder(path);
        free(path);
        if (rc) return -1;
    }
    return 0;
}

static void put_file(struct run *r, char *path, const void *data, size_t size)
{
    struct sb_output *file = sb_output_open(path);
    sb_output_write(file, data, size);
    sb_output_finish(file);
    SB_GROW(r->file, r->file_cap, r->files + 1);
    r->file[r->files++] = file;
    free(path);
}

static int yolo_open(void *run, const struct sb_export_options *o, const struct sb_record *header)
{
    struct run *r = run;
    (void)header;
    r->view.least = o->least;
    r->o = o;
    return make_folders(r, "");
}

/* ---- pictures ---- */

/* The extension stays if it is one of the kind that the picture is, else is that kind's; without a picture it stays. */
static const char *extension(const char *name, size_t size, bool image, bool jpeg, size_t *stem)
{
    const char *dot = memrchr(name, '.', size);
    static const char *const known[] = {".jpg", ".jpeg", ".png"};
    *stem = size;
    for (size_t i = 0; dot && i < 3; i++) {
        if (strcasecmp(dot, known[i])) continue;
        *stem = (size_t)(dot - name);
        if (!image || jpeg == (i < 2)) return dot;
    }
    return image && jpeg ? ".jpg" : ".png";
}

/* "images/train/a/b.jpg" of train to "train/a_b.jpg". */
static int name_picture(struct run *r, struct picture *p, const char *whole, bool image, bool jpeg)
{
    char *split = r->view.split.size ? sb_name_safe(r->view.split.text, r->view.split.size) : sb_strdup("");
    const char *name = whole;
    size_t n = strlen(split), stem;
    if (!strncmp(name, "images/", 7) && name[7]) name += 7;
    if (n && !strncmp(name, split, n) && name[n] == '/' && name[n + 1]) name += n + 1;
    const char *suffix = extension(name, strlen(name), image, jpeg, &stem);
    char *safe = sb_name_safe(name, stem);
    char *below = sb_format("%s%s%s", split, n ? "/" : "", safe);
    char *taken = sb_name_take(&r->names, below, whole, strlen(whole), ""); /* labels have no extension of their own */
    p->name = sb_format("%s%s", taken, suffix);
    p->stem = strlen(taken);
    r->unsplit = r->unsplit || !n;
    size_t before = r->splits.count;
    bool new = n &&sb_dictionary_add(&r->splits, split, n) == before;
    int rc = new ? make_folders(r, split) : 0;
    free(split);
    free(safe);
    free(below);
    free(taken);
    return rc;
}

/* The picture that the record is of; NULL with a message. */
static struct picture *picture_of(struct run *r)
{
    const uint8_t *data = NULL;
    size_t size = 0, before = r->keys.count;
    bool jpeg = false;
    char *whole = sb_view_name(&r->view);
    uint32_t number = sb_dictionary_add(&r->keys, whole, strlen(whole));
    SB_GROW(r->picture, r->picture_cap, r->keys.count);
    struct picture *p = &r->picture[number];
    if (number == before) *p = (struct picture){0};
    bool write = r->view.whole && !p->written;
    int rc = write ? sb_picture_files_encode(&r->encoder, r->view.rec, SB_IMAGE_RAW, &data, &size, &jpeg) : 0;
    if (rc == 0 && !p->name) rc = name_picture(r, p, whole, write, jpeg);
    if (rc == 0 && write) {
        put_file(r, sb_format("%s/images/%s", r->o->folder, p->name), data, size);
        p->written = true;
    }
    free(whole);
    return rc ? NULL : p;
}

/* ---- records ---- */

static const char *why_not(const struct sb_view *v, const struct sb_viewed *one)
{
    if (!one->boxed) return "annotation without a box";
    if (!one->name.size) return "box without a name";
    return v->width ? NULL : "box in a picture of unknown size";
}

/* 1; 0 counted as left out. */
static int add_line(struct run *r, const struct sb_viewed *one, struct line *line)
{
    const char *why = why_not(&r->view, one);
    line->at = r->text.size;
    if (!why) {
        FILE *f = sb_buffer_stdio(&r->text);
        bool inside = sb_yolo_line(f, &r->view, one, r->o->segments, r->o->confidence);
        fclose(f);
        if (!inside) why = "box outside of its picture";
    }
    if (why) {
        r->text.size = line->at;
        sb_counts_skip(r->o->counts, why);
        return 0;
    }
    line->size = r->text.size - line->at;
    line->class = sb_dictionary_add(&r->classes, one->name.text, one->name.size);
    line->next = 0;
    return 1;
}

static void append(struct run *r, struct picture *p, const struct line *line)
{
    SB_GROW(r->line, r->line_cap, r->lines + 1);
    r->line[r->lines++] = *line;
    if (p->last) {
        r->line[p->last - 1].next = r->lines;
    } else {
        p->first = r->lines;
    }
    p->last = r->lines;
}

/* A picture is shown if it has a box, or if its record says nothing: then there is nothing in it. */
static int yolo_write(void *run, void *output, FILE *out, struct sb_record *rec)
{
    struct run *r = run;
    struct picture *p = NULL;
    struct line line;
    (void)output;
    (void)out;
    if (sb_view_read(&r->view, rec)) return -1;
    if (!r->view.source.size) return sb_error("no field 'source'");
    sb_view_count(&r->view, r->o->counts);
    bool empty = r->view.count + r->view.unlikely + r->view.unboxed == 0;
    for (size_t i = 0; i < r->view.count; i++) {
        if (!add_line(r, &r->view.item[i], &line)) continue;
        if (!p && !(p = picture_of(r))) return -1;
        append(r, p, &line);
    }
    if (empty && !(p = picture_of(r))) return -1;
    return p != NULL;
}

/* ---- the end ---- */

static void put_labels(struct run *r, const struct picture *p, const uint32_t *rank, struct sb_buffer *text)
{
    text->size = 0;
    FILE *f = sb_buffer_stdio(text);
    for (size_t i = p->first; i; i = r->line[i - 1].next) {
        const struct line *line = &r->line[i - 1];
        fprintf(f, "%u", (unsigned)rank[line->class]);
        fwrite(r->text.data + line->at, 1, line->size, f);
        putc('\n', f);
    }
    fclose(f);
    put_file(r, sb_format("%s/labels/%.*s.txt", r->o->folder, (int)p->stem, p->name), text->data, text->size);
}

static void put_data(struct run *r, const uint32_t *order, struct sb_buffer *text)
{
    text->size = 0;
    FILE *f = sb_buffer_stdio(text);
    sb_yolo_data_write(f, &r->splits, &r->classes, order);
    fclose(f);
    put_file(r, sb_format("%s/data.yaml", r->o->folder), text->data, text->size);
}

static void warn(const struct run *r)
{
    size_t missing = 0;
    for (size_t i = 0; i < r->keys.count; i++) missing += !r->picture[i].written;
    if (missing) sb_warn("%zu pictures are not among the records, only what is said of them", missing);
    if (r->unsplit && r->splits.count)
        sb_warn("pictures without a split are in images/, which data.yaml does not name");
}

static void free_all(struct run *r)
{
    for (size_t i = 0; i < r->keys.count; i++) free(r->picture[i].name);
    free(r->picture);
    free(r->line);
    free(r->text.data);
    free(r->file);
    sb_dictionary_free(&r->keys);
    sb_dictionary_free(&r->names);
    sb_dictionary_free(&r->splits);
    sb_dictionary_free(&r->classes);
    sb_picture_files_close(&r->encoder);
    sb_view_free(&r->view);
}

static int yolo_close(void *run, uint64_t records)
{
    struct run *r = run;
    struct sb_buffer text = {0};
    uint32_t *order = sb_dictionary_order(&r->classes), *rank = sb_calloc(r->classes.count + 1, sizeof *rank);
    (void)records;
    for (size_t i = 0; i < r->classes.count; i++) rank[order[i]] = (uint32_t)i;
    for (size_t i = 0; i < r->keys.count; i++) put_labels(r, &r->picture[i], rank, &text);
    put_data(r, order, &text);
    for (size_t i = r->files; i-- > 0;)
        sb_output_close(r->file[i]); /* the list of unfinished files is last in, first out */
    warn(r);
    free(order);
    free(rank);
    free(text.data);
    free_all(r);
    return 0;
}

const struct sb_exporter sb_export_yolo = {.name = "yolo",
                                           .suffix = "",
                                           .summary = "a folder of YOLO's label files and pictures",
                                           .options = "segments,confidence,min-prob",
                                           .is_folder = true,
                                           .run_size = sizeof(struct run),
                                           .open = yolo_open,
                                           .write = yolo_write,
                                           .close = yolo_close};
