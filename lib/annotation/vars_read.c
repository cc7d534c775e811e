/* VARS: annotations of MBARI's Video Annotation and Reference System as tables, as VARS Query saves them (tabs,
 * comments that begin with # above the titles) and as they come out of its database: an observation a row, or, where
 * links are columns, a row for each link of an observation. All but concept may be absent; other names of a column in
 * brackets.
 *
 *   concept                       label
 *   observation_uuid              annotation_id; rows with the same one are one observation and must be together
 *   observer                      labelled_by
 *   observation_timestamp         labelled_at
 *   elapsed_time_millis           pts (index_elapsed_time_millis)
 *   recorded_timestamp            time (index_recorded_timestamp); without elapsed time and with
 *                                 video_start_timestamp pts too, from that. All dates: --zone where they have none
 *   video_uri                     source, its last part; else video_name, --source, video_sequence_name, the file's
 *   video_sequence_name           group; else dive_number
 *   associations (details),       associations: a list of "link | to | value"; those called "bounding box" are boxes,
 *   link_name, to_concept,        a record each, with attributes (generator, image_reference_uuid ...) and confidence
 *   link_value, bounding box
 *   image_url (images)            url
 *   image_width, image_height     parent_size; else video_width, video_height
 *   depth_meters, latitude, ...   depth, lat, lon, altitude, temperature, salinity, oxygen, pressure
 *   duration_millis               duration
 *   index_timecode, activity, observation_group, imaged_moment_uuid, video_reference_uuid
 *                                 timecode, activity, ... as they are */

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "annotation/format.h"
#include "annotation/vars_associations.h"
#include "formats/csv_columns.h"
#include "formats/url.h"
#include "media/image.h"

enum {
    CONCEPT,
    OBSERVATION,
    OBSERVER,
    OBSERVED,
    ELAPSED,
    RECORDED,
    START,
    VIDEO_URI,
    VIDEO_NAME,
    SEQUENCE,
    DIVE,
    ASSOCIATIONS,
    LINK,
    TO,
    VALUE,
    BOX,
    URL,
    IMAGE_WIDTH,
    IMAGE_HEIGHT,
    VIDEO_WIDTH,
    VIDEO_HEIGHT,
    DURATION,
    TEXTS,
    NUMBERS = TEXTS + 5,
    COLUMNS = NUMBERS + 8
};

static const struct sb_csv_column columns[COLUMNS] = {
    [CONCEPT] = {"concept", true},
    [OBSERVATION] = {"observation_uuid", false},
    [OBSERVER] = {"observer", false},
    [OBSERVED] = {"observation_timestamp", false},
    [ELAPSED] = {"elapsed_time_millis|index_elapsed_time_millis", false},
    [RECORDED] = {"recorded_timestamp|index_recorded_timestamp", false},
    [START] = {"video_start_timestamp", false},
    [VIDEO_URI] = {"video_uri", false},
    [VIDEO_NAME] = {"video_name", false},
    [SEQUENCE] = {"video_sequence_name", false},
    [DIVE] = {"dive_number", false},
    [ASSOCIATIONS] = {"associations|details", false},
    [LINK] = {"link_name", false},
    [TO] = {"to_concept", false},
    [VALUE] = {"link_value", false},
    [BOX] = {"bounding_box", false},
    [URL] = {"image_url|images|image", false},
    [IMAGE_WIDTH] = {"image_width", false},
    [IMAGE_HEIGHT] = {"image_height", false},
    [VIDEO_WIDTH] = {"video_width", false},
    [VIDEO_HEIGHT] = {"video_height", false},
    [DURATION] = {"duration_millis", false},
    [TEXTS] = {"timecode|index_timecode", false},
    {"activity", false},
    {"observation_group", false},
    {"imaged_moment_uuid", false},
    {"video_reference_uuid", false},
    [NUMBERS] = {"depth|depth_meters", false},
    {"lat|latitude", false},
    {"lon|longitude", false},
    {"altitude", false},
    {"temperature|temperature_celsius", false},
    {"salinity", false},
    {"oxygen|oxygen_ml_per_l", false},
    {"pressure|pressure_dbar", false},
};

struct reading {
    const char *path;
    const struct sb_annotation_options *o;
    struct sb_annotated_list *list;
    char *file; /* what a video is called that nothing names */
    bool begun;
    /* The observation that rows are being read of. */
    bool open;
    char *observation; /* "": its row has none */
    size_t picture;
    struct sb_record fields, box_fields, about;
    struct sb_vars_associations associations;
    struct sb_gathered attributes;
    struct sb_dictionary seen; /* observations before it */
};

static void say_unusable(struct reading *r, const struct sb_csv_table *t, const char *why)
{
    sb_annotated_unusable(r->list, r->path, "line %" PRIu64 ": %s", t->row->line, why);
}

/* 1 there, 0 not there, -1 with a message. */
static int read_date(struct reading *r, const struct sb_csv_table *t, size_t column, double *time)
{
    const char *text = sb_csv_table_text(t, column);
    if (!*text) return 0;
    if (sb_clock_parse(text, strlen(text), &r->o->zone, time) == 0) return 1;
    char *why = sb_strdup(sb_error_message());
    sb_error("line %" PRIu64 ": %s: %s", t->row->line, t->title[t->at[column]], why);
    free(why);
    return -1;
}

static void set_text(struct sb_record *fields, const char *field, const char *text, size_t size)
{
    if (size) sb_set_text(fields, field, text, size);
}

/* ---- the moment ---- */

static char *read_source(const struct reading *r, const struct sb_csv_table *t)
{
    char *path = sb_url_path(sb_csv_table_text(t, VIDEO_URI));
    const char *slash = path ? strrchr(path, '/') : NULL;
    const char *names[] = {path && slash ? slash + 1 : path, sb_csv_table_text(t, VIDEO_NAME), r->o->source,
                           sb_csv_table_text(t, SEQUENCE), r->file};
    size_t i = 0;
    while (!names[i] || !*names[i]) i++;
    char *source = sb_strdup(names[i]);
    free(path);
    return source;
}

/* The first address of a picture that can be read, or the first one. */
static const char *read_url(const struct sb_csv_table *t, size_t *size)
{
    const char *text = sb_csv_table_text(t, URL), *one = text;
    for (size_t n; *one; one += n + strspn(one + n, ";, ")) {
        n = strcspn(one, ";, ");
        if (n > 4 && (!strncasecmp(one + n - 4, ".png", 4) || !strncasecmp(one + n - 4, ".jpg", 4))) {
            *size = n;
            return one;
        }
    }
    *size = strcspn(text, ";, ");
    return text;
}

static int read_size(struct reading *r, const struct sb_csv_table *t, size_t width, size_t height)
{
    int64_t w, h;
    int has_w = sb_csv_table_int(t, width, &w), has_h = sb_csv_table_int(t, height, &h);
    if (has_w < 0 || has_h < 0) return -1;
    if (has_w && has_h) sb_set_parent_size(&r->about, w, h);
    return has_w && has_h;
}

/* What is known of the moment, time apart. */
static int read_about(struct reading *r, const struct sb_csv_table *t)
{
    for (size_t i = NUMBERS; i < COLUMNS; i++) {
        double v;
        int rc = sb_csv_table_real(t, i, &v);
        char field[32];
        if (rc < 0) return -1;
        snprintf(field, sizeof field, "%.*s", (int)strcspn(columns[i].names, "|"), columns[i].names);
        if (rc) sb_set_real(&r->about, field, v);
    }
    int rc = read_size(r, t, IMAGE_WIDTH, IMAGE_HEIGHT);
    if (rc == 0) rc = read_size(r, t, VIDEO_WIDTH, VIDEO_HEIGHT);
    return rc < 0 ? -1 : 0;
}

/* The number of what is said at the moment, or else of a picture; -2: the row names neither; -1 with a message. */
static int64_t number_of(struct reading *r, const struct sb_csv_table *t, double pts, double time)
{
    int64_t number = -2;
    if (!isnan(pts) || !isnan(time)) {
        char *source = read_source(r, t);
        number = isnan(pts) ? sb_annotated_moment(r->list, source, time) : sb_annotated_picture(r->list, source, pts);
        free(source);
        return number;
    }
    size_t size;
    const char *first = read_url(t, &size);
    char *url = sb_strndup(first, size), *path = sb_url_path(url);
    if (path) number = sb_annotated_picture(r->list, path, NAN);
    free(path);
    free(url);
    return number;
}

static int64_t find_picture(struct reading *r, const struct sb_csv_table *t)
{
    double elapsed, time = NAN, start, pts = NAN;
    int has_elapsed = sb_csv_table_real(t, ELAPSED, &elapsed), has_time = read_date(r, t, RECORDED, &time);
    int has_start = has_elapsed || !has_time ? 0 : read_date(r, t, START, &start);
    if (has_elapsed < 0 || has_time < 0 || has_start < 0) return -1;
    if (has_elapsed) pts = elapsed / 1000;
    if (has_start) pts = time - start;
    if (fabs(pts) > 1e9) return -2;
    size_t before = r->list->count;
    int64_t number = number_of(r, t, pts, time);
    if (number < 0 || (size_t)number < before) return number;
    const char *group = sb_csv_table_text(t, *sb_csv_table_text(t, SEQUENCE) ? SEQUENCE : DIVE);
    if (*group) r->list->item[number].group = sb_strdup(group);
    sb_record_reset(&r->about);
    if (has_time && !isnan(pts)) sb_set_real(&r->about, "time", time);
    if (read_about(r, t)) return -1;
    if (r->about.count) sb_annotated_about(r->list, (size_t)number, &r->about);
    return number;
}

/* ---- the observation ---- */

static int read_fields(struct reading *r, const struct sb_csv_table *t)
{
    double v;
    size_t size;
    sb_record_reset(&r->fields);
    const char *concept = sb_csv_table_text(t, CONCEPT), *observer = sb_csv_table_text(t, OBSERVER);
    set_text(&r->fields, "label", concept, strlen(concept));
    set_text(&r->fields, "labelled_by", observer, strlen(observer));
    set_text(&r->fields, "annotation_id", r->observation, strlen(r->observation));
    const char *url = read_url(t, &size);
    set_text(&r->fields, "url", url, size);
    for (size_t i = TEXTS; i < NUMBERS; i++) {
        const char *text = sb_csv_table_text(t, i);
        char field[32];
        snprintf(field, sizeof field, "%.*s", (int)strcspn(columns[i].names, "|"), columns[i].names);
        set_text(&r->fields, field, text, strlen(text));
    }
    int observed = read_date(r, t, OBSERVED, &v);
    if (observed == 1) sb_set_real(&r->fields, "labelled_at", v);
    int lasts = observed < 0 ? -1 : sb_csv_table_real(t, DURATION, &v);
    if (lasts == 1) sb_set_real(&r->fields, "duration", v / 1000);
    return lasts < 0 ? -1 : 0;
}

static void read_associations(struct reading *r, const struct sb_csv_table *t)
{
    const char *link = sb_csv_table_text(t, LINK), *box = sb_csv_table_text(t, BOX);
    sb_vars_associations_read(&r->associations, sb_csv_table_text(t, ASSOCIATIONS));
    if (*link) sb_vars_associations_add(&r->associations, link, sb_csv_table_text(t, TO), sb_csv_table_text(t, VALUE));
    if (*box) sb_vars_associations_add(&r->associations, "bounding box", "self", box);
}

/* All of its rows were read. */
static void finish(struct reading *r)
{
    if (!r->open) return;
    r->open = false;
    sb_gathered_set_list(&r->associations.texts, &r->fields, "associations");
    for (size_t i = 0; i < r->associations.spoilt; i++)
        sb_annotated_unusable(r->list, r->path, "observation %s: a bounding box that is none", r->observation);
    for (size_t i = 0; i < r->associations.boxes; i++) {
        double box[4];
        sb_record_copy(&r->box_fields, &r->fields);
        sb_vars_box(r->associations.box[i], box, &r->attributes, &r->box_fields);
        sb_annotated_add(r->list, r->picture, box, &r->box_fields);
    }
    if (!r->associations.boxes) sb_annotated_add(r->list, r->picture, NULL, &r->fields);
}

static int begin(struct reading *r, const struct sb_csv_table *t, const char *observation)
{
    size_t before = r->seen.count;
    if (*observation && sb_dictionary_add(&r->seen, observation, strlen(observation)) < before)
        return sb_error("line %" PRIu64
                        ": observation %.60s stands in rows that are not together: sort the table by its "
                        "column observation_uuid",
                        t->row->line, observation);
    free(r->observation);
    r->observation = sb_strdup(observation);
    sb_vars_associations_begin(&r->associations);
    int64_t picture = find_picture(r, t);
    if (picture == -2) say_unusable(r, t, "it has neither an elapsed time, nor a date, nor a picture");
    if (picture < 0) return picture == -2 ? 0 : -1;
    r->picture = (size_t)picture;
    r->open = true;
    return read_fields(r, t);
}

static int each_row(void *arg, const struct sb_csv_table *t)
{
    struct reading *r = arg;
    const char *observation = sb_csv_table_text(t, OBSERVATION);
    if (!r->begun) sb_csv_table_warn(t, r->path);
    r->begun = true;
    bool same = *observation && r->observation && !strcmp(observation, r->observation);
    if (!same) {
        finish(r);
        if (begin(r, t, observation)) return -1;
    }
    if (r->open) read_associations(r, t);
    return 0;
}

static int read_vars(const char *path, const struct sb_annotation_options *o, struct sb_annotated_list *list)
{
    struct reading r = {.path = path, .o = o, .list = list, .file = sb_annotation_video(path, o)};
    int rc = sb_csv_table_load(path, columns, COLUMNS, each_row, &r);
    if (rc == 0) finish(&r);
    sb_vars_associations_free(&r.associations);
    sb_gathered_free(&r.attributes);
    sb_record_free(&r.fields);
    sb_record_free(&r.box_fields);
    sb_record_free(&r.about);
    sb_dictionary_free(&r.seen);
    free(r.observation);
    free(r.file);
    return rc;
}

const struct sb_annotation_format sb_vars = {
    "vars", "FILE.csv...", "tables of VARS, MBARI's annotation system", "images,whole,zone,source", false,
    false,  read_vars};
