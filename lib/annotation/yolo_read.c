/* YOLO's label files, as Ultralytics documents them and darknet and labelImg write them: a text file a picture, beside
 * it or in the folder labels/ beside images/, a line an animal:
 *
 *   class cx cy w h [confidence]       a box's middle and size
 *   class x1 y1 x2 y2 x3 y3 ... [confidence]   an outline, at least three points; four of a turned box
 *
 * all but the class as parts of the picture's width and height. An empty file says that there is nothing in the
 * picture; of a picture without a file nothing is known. */

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "annotation/format.h"
#include "annotation/shape.h"
#include "annotation/yolo_data.h"
#include "base/walk.h"
#include "formats/names.h"
#include "media/image.h"
#include "media/picture_peek.h"

enum { NUMBERS_MOST = 1 << 20 };

#define BEYOND 0.01 /* that a part of a picture may lie outside of it: rounding */

struct reading {
    struct sb_annotated_list *list;
    struct sb_yolo_data data;
    struct sb_texts files;          /* all below the root, as paths below it; owned */
    struct sb_dictionary texts;     /* those that end in .txt */
    bool *used;                     /* [texts.count] */
    struct sb_shape_numbers number; /* a line's */
    struct sb_record fields;
    int width, height; /* of the picture */
};

/* ---- files ---- */

static bool ends_in(const char *name, const char *ending)
{
    size_t n = strlen(name), m = strlen(ending);
    return n > m && !strcasecmp(name + n - m, ending);
}

static bool is_picture(const char *name)
{
    return ends_in(name, ".jpg") || ends_in(name, ".jpeg") || ends_in(name, ".png");
}

static bool holds_names(const char *below)
{
    static const char *const usual[] = {"classes.txt", "obj.names", "_darknet.labels"};
    const char *slash = strrchr(below, '/'), *name = slash ? slash + 1 : below;
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (!strcmp(name, usual[i])) return true;
    return false;
}

static int visit(void *arg, const char *path, const char *below)
{
    struct reading *r = arg;
    if (holds_names(below)) {
        bool known =
            r->data.names_from && (ends_in(r->data.names_from, ".yaml") || ends_in(r->data.names_from, ".yml"));
        return known ? 0 : sb_yolo_data_names(&r->data, path);
    }
    if (ends_in(below, ".txt")) sb_dictionary_add(&r->texts, below, strlen(below));
    SB_GROW(r->files.text, r->files.cap, r->files.count + 1);
    r->files.text[r->files.count++] = sb_strdup(below);
    return 0;
}

/* The number of a picture's label file among the texts: below labels/ in place of its last images/, or beside it. */
static int64_t labels_of(const struct reading *r, const char *below)
{
    const char *dot = strrchr(below, '.'), *images = NULL;
    for (const char *s = below; (s = strstr(s, "images/")); s++)
        if (s == below || s[-1] == '/') images = s;
    char *name = sb_format("%.*s.txt", (int)(dot - below), below);
    int64_t number = -1;
    if (images) {
        char *apart = sb_format("%.*slabels/%s", (int)(images - below), below, name + (images - below) + 7);
        number = sb_dictionary_find(&r->texts, apart, strlen(apart));
        free(apart);
    }
    if (number < 0) number = sb_dictionary_find(&r->texts, name, strlen(name));
    free(name);
    return number;
}

/* ---- a line ---- */

/* Numbers between blanks; false if there is anything else. */
static bool read_numbers(struct sb_shape_numbers *n, const char *line)
{
    n->count = 0;
    while (*(line += strspn(line, " \t\r\n"))) {
        char *end;
        double v = strtod(line, &end);
        if (end == line || !isfinite(v) || (*end && !isspace((unsigned char)*end)) || n->count == NUMBERS_MOST)
            return false;
        SB_GROW(n->v, n->cap, n->count + 1);
        n->v[n->count++] = v;
        line = end;
    }
    return true;
}

/* Makes them pixels. */
static bool scale(struct reading *r, double *v, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!(v[i] >= -BEYOND && v[i] <= 1 + BEYOND)) return false;
        v[i] *= i % 2 ? r->height : r->width;
    }
    return true;
}

/* NULL, or why the line's numbers are of no use. Sets the box, and fields of an outline. */
static const char *read_shape(struct reading *r, double box[4])
{
    double *v = r->number.v + 1;
    size_t count = r->number.count - 1;
    bool outline = count > 5 && !r->data.keypoints, scored = r->data.keypoints ? false
                                                             : outline         ? count % 2
                                                                               : count == 5;
    if (count < 4) return "a class and four numbers are wanted";
    if (scored && !(v[count - 1] >= 0 && v[count - 1] <= 1)) return "its confidence is not between 0 and 1";
    if (scored) sb_set_real(&r->fields, "confidence", v[--count]);
    if (!scale(r, v, outline ? count : 4)) return "its numbers are no parts of the picture's width and height";
    if (outline)
        return sb_shape_set(&r->fields, SB_SHAPE_POLYGON, v, count, box) == 1 ? NULL : "its outline has no area";
    box[0] = v[0] - v[2] / 2;
    box[1] = v[1] - v[3] / 2;
    box[2] = v[2];
    box[3] = v[3];
    return sb_annotated_box_is_one(box) ? NULL : "its box has no area";
}

static void read_line(struct reading *r, size_t picture, const char *line, const char *path, size_t number)
{
    double box[4];
    sb_record_reset(&r->fields);
    const char *why = "not numbers";
    if (read_numbers(&r->number, line)) {
        if (r->number.count == 0) return;
        why = read_shape(r, box);
    }
    double class = r->number.count ? r->number.v[0] : -1;
    if (!why && (class != floor(class) || class < 0)) why = "its class is no number from 0";
    if (why) {
        sb_annotated_unusable(r->list, path, "line %zu: %s", number, why);
        return;
    }
    const struct sb_texts *names = &r->data.names;
    const char *name = class < (double)names->count ? names->text[(size_t) class] : NULL;
    if (name && *name) sb_set_cstr(&r->fields, "label", name);
    if (!name) r->list->nameless++;
    sb_annotated_add(r->list, picture, box, &r->fields);
}

static int read_labels(struct reading *r, size_t picture, const char *below)
{
    char *path = sb_name_join(r->data.root, below), *line = NULL;
    size_t cap = 0, number = 0;
    FILE *f = fopen(path, "re");
    int rc = f ? 0 : sb_error("%s: %s", path, strerror(errno));
    while (f && getline(&line, &cap, f) >= 0) read_line(r, picture, line, path, ++number);
    if (f && ferror(f)) rc = sb_error("%s: %s", path, strerror(errno));
    if (f) fclose(f);
    free(line);
    free(path);
    return rc;
}

/* ---- pictures ---- */

static int add_picture(struct reading *r, const char *below)
{
    int64_t labels = labels_of(r, below);
    if (labels < 0) {
        sb_annotated_skip_file(r->list, "without a label file", below, "");
        return 0;
    }
    r->used[labels] = true;
    char *path = sb_name_join(r->data.root, below);
    if (sb_picture_peek(path, &r->width, &r->height)) {
        sb_annotated_skip_file(r->list, "broken", below, sb_error_message());
        free(path);
        return 0;
    }
    size_t before = r->list->count;
    int64_t picture = sb_annotated_picture(r->list, below, NAN);
    if (picture >= 0 && (size_t)picture < before) {
        picture = sb_error("two pictures would be called '%s': name the folder that holds both folders", below);
    }
    if (picture < 0) {
        free(path);
        return -1;
    }
    const char *split = sb_yolo_data_split(&r->data, below);
    r->list->item[picture].path = path;
    sb_record_reset(&r->fields);
    sb_set_parent_size(&r->fields, r->width, r->height);
    if (split) sb_set_cstr(&r->fields, "split", split);
    sb_annotated_about(r->list, (size_t)picture, &r->fields);
    return read_labels(r, (size_t)picture, r->texts.text[labels]);
}

/* A text that no picture has, and that stands among labels or begins as they do. */
static bool is_lost(struct reading *r, const char *below)
{
    char *path = sb_name_join(r->data.root, below), line[512] = "";
    bool among = !strncmp(below, "labels/", 7) || strstr(below, "/labels/");
    FILE *f = among ? NULL : fopen(path, "re");
    bool begins = f && fgets(line, sizeof line, f) && read_numbers(&r->number, line) && r->number.count >= 5;
    if (f) fclose(f);
    free(path);
    return among || begins;
}

static int read_all(struct reading *r, const char *path)
{
    if (sb_yolo_data_read(&r->data, path) || sb_walk(r->data.root, visit, r)) return -1;
    if (!r->data.names_from)
        return sb_error("%s: no data.yaml, classes.txt or obj.names tells what its classes are called", path);
    r->used = sb_calloc(r->texts.count + 1, sizeof *r->used);
    for (size_t i = 0; i < r->files.count; i++)
        if (is_picture(r->files.text[i]) && add_picture(r, r->files.text[i])) return -1;
    for (size_t i = 0; i < r->texts.count; i++)
        if (!r->used[i] && is_lost(r, r->texts.text[i]))
            sb_annotated_skip_file(r->list, "label file without a picture", r->texts.text[i], "");
    return 0;
}

static int read_yolo(const char *path, const struct sb_annotation_options *o, struct sb_annotated_list *list)
{
    struct reading r = {.list = list};
    (void)o;
    int rc = read_all(&r, path);
    for (size_t i = 0; i < r.files.count; i++) free((char *)r.files.text[i]);
    free(r.files.text);
    sb_dictionary_free(&r.texts);
    sb_yolo_data_free(&r.data);
    sb_record_free(&r.fields);
    free(r.used);
    free(r.number.v);
    return rc;
}

const struct sb_annotation_format sb_yolo = {
    "yolo", "FOLDER|data.yaml...", "a folder of YOLO's label files", "whole", true, false, read_yolo};
