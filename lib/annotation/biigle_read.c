/* BIIGLE's CSV reports (BIIGLE's manual, "Reports schema"): of image annotations, of image labels, of video
 * annotations. Which one a table is, its titles tell. A row is a label, and a record, or one a key frame:
 *
 *   filename, video_filename      source (older reports: video_name)
 *   label_name, label_hierarchy   label, label_path ("Animalia > Annelida")
 *   firstname lastname, user_id   labelled_by: the names, or else the number
 *   created_at                    labelled_at; BIIGLE's servers write UTC, which --zone overrides
 *   annotation_id                 annotation_id, and of video track
 *   shape_name, points            shape, points, radius, box; an upright Rectangle is its box alone
 *   frames                        pts, a list of seconds: a record each; `segment` counts from 0 what gaps (null) part.
 *                                 WholeFrame: pts and duration of each segment
 *   image_longitude, _latitude    lon, lat
 *   attributes                    picture_attributes, JSON as it is; of it parent_size, and depth: -gps_altitude
 *   other numbers                 biigle: a map of title to text: annotation_label_id, label_id, user_id, image_id,
 *                                 video_id */

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "annotation/format.h"
#include "annotation/gathered.h"
#include "annotation/keyframes.h"
#include "annotation/shape.h"
#include "formats/csv_columns.h"
#include "media/image.h"

enum {
    LABEL,
    FILENAME,
    PATH,
    FIRST_NAME,
    LAST_NAME,
    CREATED,
    ANNOTATION,
    SHAPE,
    POINTS,
    FRAMES,
    LON,
    LAT,
    ATTRIBUTES,
    SHAPE_ID, /* says what SHAPE says */
    USER,
    FIRST_NUMBER,
    VIDEO_LABEL = FIRST_NUMBER + 6,
    COLUMNS
};

static const struct sb_csv_column columns[COLUMNS] = {
    [LABEL] = {"label_name", true},
    [FILENAME] = {"filename|video_filename|video_name", true},
    [PATH] = {"label_hierarchy", false},
    [FIRST_NAME] = {"firstname", false},
    [LAST_NAME] = {"lastname", false},
    [CREATED] = {"created_at", false},
    [ANNOTATION] = {"annotation_id", false},
    [SHAPE] = {"shape_name", false},
    [POINTS] = {"points", false},
    [FRAMES] = {"frames", false},
    [LON] = {"image_longitude|longitude", false},
    [LAT] = {"image_latitude|latitude", false},
    [ATTRIBUTES] = {"attributes", false},
    [SHAPE_ID] = {"shape_id", false},
    [USER] = {"user_id", false},
    [FIRST_NUMBER] = {"annotation_label_id", false},
    {"video_annotation_label_id", false},
    {"image_label_id", false},
    {"label_id", false},
    {"image_id", false},
    {"video_id", false},
    [VIDEO_LABEL] = {"video_label_id", false},
};

struct reading {
    const char *path;
    struct sb_zone zone;
    struct sb_annotated_list *list;
    struct sb_record fields, about;
    struct sb_gathered numbers;
    struct sb_shape_numbers shape;
    bool checked; /* the titles were */
};

static void say_unusable(struct reading *r, const struct sb_csv_table *t, const char *why)
{
    sb_annotated_unusable(r->list, r->path, "line %" PRIu64 ": %s", t->row->line, why);
}

/* ---- the picture ---- */

static void read_attributes(struct reading *r, const char *text)
{
    double depth;
    json_t *all = *text ? json_loads(text, 0, NULL) : NULL;
    const json_t *altitude = json_object_get(json_object_get(all, "metadata"), "gps_altitude");
    if (!altitude) altitude = json_object_get(all, "gps_altitude");
    if (*text) sb_set_cstr(&r->about, "picture_attributes", text);
    sb_set_parent_size(&r->about, json_integer_value(json_object_get(all, "width")),
                   json_integer_value(json_object_get(all, "height")));
    depth = 0 - json_number_value(altitude); /* at the surface 0, not -0 */
    if (json_is_number(altitude) && depth >= 0) sb_set_real(&r->about, "depth", depth);
    json_decref(all);
}

/* The picture's number. What is said of it is taken where it is first named. -1 with a message. */
static int64_t read_picture(struct reading *r, const struct sb_csv_table *t, double pts)
{
    double lat, lon;
    size_t before = r->list->count;
    int64_t number = sb_annotated_picture(r->list, sb_csv_table_text(t, FILENAME), pts);
    if (number < 0 || (size_t)number < before) return number;
    int has_lat = sb_csv_table_real(t, LAT, &lat), has_lon = sb_csv_table_real(t, LON, &lon);
    if (has_lat < 0 || has_lon < 0) return -1;
    sb_record_reset(&r->about);
    if (has_lat && has_lon) {
        sb_set_real(&r->about, "lat", lat);
        sb_set_real(&r->about, "lon", lon);
    }
    read_attributes(r, sb_csv_table_text(t, ATTRIBUTES));
    if (r->about.count) sb_annotated_about(r->list, (size_t)number, &r->about);
    return number;
}

/* ---- the label ---- */

static void set_text(struct sb_record *fields, const char *field, const char *text)
{
    if (*text) sb_set_cstr(fields, field, text);
}

static void read_person(struct reading *r, const struct sb_csv_table *t)
{
    const char *first = sb_csv_table_text(t, FIRST_NAME), *last = sb_csv_table_text(t, LAST_NAME);
    char *both = sb_format("%s%s%s", first, *first && *last ? " " : "", last);
    set_text(&r->fields, "labelled_by", *both ? both : sb_csv_table_text(t, USER));
    free(both);
}

static int read_label(struct reading *r, const struct sb_csv_table *t)
{
    const char *created = sb_csv_table_text(t, CREATED);
    double time;
    sb_record_reset(&r->fields);
    sb_gathered_begin(&r->numbers);
    set_text(&r->fields, "label", sb_csv_table_text(t, LABEL));
    set_text(&r->fields, "label_path", sb_csv_table_text(t, PATH));
    read_person(r, t);
    set_text(&r->fields, "annotation_id", sb_csv_table_text(t, ANNOTATION));
    for (size_t i = USER; i < COLUMNS; i++) {
        const char *text = sb_csv_table_text(t, i);
        if (*text) sb_gathered_pair(&r->numbers, columns[i].names, strlen(columns[i].names), text);
    }
    sb_gathered_set_map(&r->numbers, &r->fields, "biigle");
    if (!*created) return 0;
    if (sb_clock_parse(created, strlen(created), &r->zone, &time)) {
        char *why = sb_strdup(sb_error_message());
        sb_error("line %" PRIu64 ": %s", t->row->line, why);
        free(why);
        return -1;
    }
    sb_set_real(&r->fields, "labelled_at", time);
    return 0;
}

/* ---- the shape ---- */

/* 1: added; 0: it is none, which is said; -1 with a message. */
static int add_shape(struct reading *r, const struct sb_csv_table *t, int shape, const json_t *points, double pts)
{
    double box[4];
    int boxed = -1;
    if (shape < 0) {
        sb_error("there is no shape '%.40s'", sb_csv_table_text(t, SHAPE));
    } else if (shape != SB_SHAPE_WHOLE && !sb_shape_read(&r->shape, points)) {
        sb_error("its points are no list of numbers");
    } else {
        boxed = sb_shape_set(&r->fields, (enum sb_shape)shape, r->shape.v, r->shape.count, box);
    }
    if (boxed < 0) {
        say_unusable(r, t, sb_error_message());
        return 0;
    }
    int64_t picture = read_picture(r, t, pts);
    if (picture < 0) return -1;
    sb_annotated_add(r->list, (size_t)picture, boxed ? box : NULL, &r->fields);
    return 1;
}

static int read_image_row(struct reading *r, const struct sb_csv_table *t)
{
    const char *text = sb_csv_table_text(t, POINTS), *name = sb_csv_table_text(t, SHAPE);
    int shape = t->at[SHAPE] < 0 ? SB_SHAPE_WHOLE : sb_shape_named(name);
    json_t *points = *text ? json_loads(text, 0, NULL) : NULL;
    int rc = add_shape(r, t, shape, points, NAN);
    json_decref(points);
    return rc < 0 ? -1 : 0;
}

/* ---- video: key frames ---- */

struct frame {
    struct reading *r;
    const struct sb_csv_table *t;
    int shape;
};

static int add_frame(void *arg, double pts, const json_t *points)
{
    const struct frame *f = arg;
    return add_shape(f->r, f->t, f->shape, points, pts) < 0 ? -1 : 0;
}

static int read_video_row(struct reading *r, const struct sb_csv_table *t)
{
    struct frame f = {r, t, sb_shape_named(sb_csv_table_text(t, SHAPE))};
    json_t *times = json_loads(sb_csv_table_text(t, FRAMES), 0, NULL);
    json_t *points = json_loads(sb_csv_table_text(t, POINTS), 0, NULL);
    set_text(&r->fields, "track", sb_csv_table_text(t, ANNOTATION));
    int rc = sb_keyframes_each(times, points, f.shape == SB_SHAPE_WHOLE, &r->fields, add_frame, &f);
    if (rc > 0) say_unusable(r, t, sb_error_message());
    json_decref(times);
    json_decref(points);
    return rc < 0 ? -1 : 0;
}

/* ---- tables ---- */

static int check_titles(struct reading *r, const struct sb_csv_table *t)
{
    r->checked = true;
    sb_csv_table_warn(t, r->path);
    if (t->at[VIDEO_LABEL] >= 0)
        return sb_error("labels of whole videos, which are of no moment: take the report of video annotations");
    if (t->at[FRAMES] >= 0 || t->at[SHAPE] >= 0) {
        if (t->at[SHAPE] >= 0 && t->at[POINTS] >= 0) return 0;
        return sb_error("it has no column called %s", t->at[SHAPE] < 0 ? "shape_name" : "points");
    }
    return 0;
}

static int each_row(void *arg, const struct sb_csv_table *t)
{
    struct reading *r = arg;
    if (!r->checked && check_titles(r, t)) return -1;
    if (read_label(r, t)) return -1;
    if (!*sb_csv_table_text(t, FILENAME)) {
        say_unusable(r, t, "it has no filename");
        return 0;
    }
    return t->at[FRAMES] >= 0 ? read_video_row(r, t) : read_image_row(r, t);
}

static int read_biigle(const char *path, const struct sb_annotation_options *o, struct sb_annotated_list *list)
{
    struct reading r = {.path = path, .zone = o->zone, .list = list};
    r.zone.given = true;
    int rc = sb_csv_table_load(path, columns, COLUMNS, each_row, &r);
    sb_gathered_free(&r.numbers);
    sb_record_free(&r.fields);
    sb_record_free(&r.about);
    free(r.shape.v);
    return rc;
}

const struct sb_annotation_format sb_biigle = {
    "biigle", "FILE.csv...", "BIIGLE's CSV reports, of images and of videos", "images,whole,zone", false,
    false,    read_biigle};
