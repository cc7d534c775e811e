/* FathomNet's annotations: the CSV that it is given and gives (fathomnet.org, "How to submit localized image
 * annotations"), and its JSON image records, as its REST API and fathomnet-py have them. Which one a file is, its first
 * byte tells. */

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "annotation/format.h"
#include "formats/csv_columns.h"
#include "formats/json_file.h"
#include "formats/url.h"
#include "media/image.h"

enum kind { TEXT, REAL, FLAG };

enum {
    CONCEPT,
    URL,
    X,
    Y,
    WIDTH,
    HEIGHT, /* the box's; those up to here a table must have */
    OBSERVER,
    REVIEWER,
    STATE,
    REJECTED,
    VERIFIED,
    IMAGE_UUID,
    TIMESTAMP,
    PASSED_ON /* the first of those that become a field as they are */
};

static const struct known {
    const char *names; /* of columns, as FathomNet's page has them; its first is JSON's key, if `key` is NULL */
    const char *key;
    bool of_image; /* else of a box */
    const char *field;
    enum kind kind;
} known[] = {
    [CONCEPT] = {"concept|class|name", "concept", false, NULL, TEXT},
    [URL] = {"url|image", "url", true, NULL, TEXT},
    [X] = {"x", "x", false, NULL, REAL},
    [Y] = {"y", "y", false, NULL, REAL},
    [WIDTH] = {"width", "width", false, NULL, REAL},
    [HEIGHT] = {"height", "height", false, NULL, REAL},
    [OBSERVER] = {"observer", "observer", false, NULL, TEXT},
    [REVIEWER] = {"reviewer|verifier", "reviewer", false, NULL, TEXT},
    [STATE] = {"reviewState", "reviewState", false, NULL, TEXT},
    [REJECTED] = {"rejected", "rejected", false, NULL, FLAG},
    [VERIFIED] = {"verified", "verified", false, NULL, FLAG},
    [IMAGE_UUID] = {"imageUuid", "uuid", true, "image_uuid", TEXT},
    [TIMESTAMP] = {"timestamp", "timestamp", true, NULL, TEXT},
    {"uuid|boundingBoxUuid", "uuid", false, "annotation_id", TEXT},
    {"altConcept|concept2|class2|name2", "altConcept", false, "alt_label", TEXT},
    {"groupOf", "groupOf", false, "group_of", FLAG},
    {"occluded", "occluded", false, "occluded", FLAG},
    {"truncated", "truncated", false, "truncated", FLAG},
    {"userDefinedKey", "userDefinedKey", false, "user_defined_key", TEXT},
    {"latitude|lat", "latitude", true, "lat", REAL},
    {"longitude|lon", "longitude", true, "lon", REAL},
    {"depth|depthMeters", "depthMeters", true, "depth", REAL},
    {"altitude|altitudeMeters", "altitude", true, "altitude", REAL},
    {"temperature|temperatureCelsius", "temperatureCelsius", true, "temperature", REAL},
    {"salinity", "salinity", true, "salinity", REAL},
    {"oxygen|oxygenMlL", "oxygenMlL", true, "oxygen", REAL},
    {"pressure|pressureDbar", "pressureDbar", true, "pressure", REAL},
    {"imagingType", "imagingType", true, "imaging_type", TEXT},
    {"contributorsEmail", "contributorsEmail", true, "contributor", TEXT},
};
enum { KNOWN = sizeof known / sizeof *known };

/* What is being read: a row, or an image and one of its boxes; and where it goes. */
struct reading {
    const char *path;
    const struct sb_annotation_options *options;
    struct sb_annotated_list *list;
    struct sb_record fields;
    const struct sb_csv_table *table; /* NULL: JSON */
    const json_t *image, *box;
    size_t number, box_number; /* of the image, of its box, from 1 */
};

static const json_t *json_of(const struct reading *r, size_t what)
{
    return sb_json_get(known[what].of_image ? r->image : r->box, known[what].key);
}

static int wrong_type(const struct reading *r, size_t what, const char *wanted)
{
    return sb_error("image %zu: its %s'%s' is no %s", r->number, known[what].of_image ? "" : "boxes' ", known[what].key,
                    wanted);
}

/* 1 there, 0 not there, -1 with a message. */
static int get_text(const struct reading *r, size_t what, const char **text)
{
    const json_t *v = r->table ? NULL : json_of(r, what);
    if (v && !json_is_string(v)) return wrong_type(r, what, "text");
    *text = r->table ? sb_csv_table_text(r->table, what) : v ? json_string_value(v) : "";
    return **text != 0;
}

static int get_real(const struct reading *r, size_t what, double *v)
{
    if (r->table) return sb_csv_table_real(r->table, what, v);
    const json_t *j = json_of(r, what);
    if (j && !json_is_number(j)) return wrong_type(r, what, "number");
    if (j) *v = json_number_value(j);
    return j != NULL;
}

static int get_flag(const struct reading *r, size_t what, bool *v)
{
    if (r->table) return sb_csv_table_bool(r->table, what, v);
    const json_t *j = json_of(r, what);
    if (j && !json_is_boolean(j)) return wrong_type(r, what, "true or false");
    if (j) *v = json_is_true(j);
    return j != NULL;
}

/* Those that are passed on as they are. */
static int read_known(struct reading *r, bool of_image)
{
    for (size_t i = 0; i < KNOWN; i++) {
        const char *text;
        double real;
        bool flag;
        int rc = 0;
        if (!known[i].field || known[i].of_image != of_image) continue;
        switch (known[i].kind) {
        case TEXT:
            if ((rc = get_text(r, i, &text)) == 1) sb_set_cstr(&r->fields, known[i].field, text);
            break;
        case REAL:
            if ((rc = get_real(r, i, &real)) == 1) sb_set_real(&r->fields, known[i].field, real);
            break;
        case FLAG:
            if ((rc = get_flag(r, i, &flag)) == 1) sb_set_bool(&r->fields, known[i].field, flag);
            break;
        }
        if (rc < 0) return -1;
    }
    return 0;
}

/* ---- a picture ---- */

static int read_time(struct reading *r)
{
    const char *text;
    double time;
    char why[600];
    int rc = get_text(r, TIMESTAMP, &text);
    if (rc != 1) return rc;
    if (sb_clock_parse(text, strlen(text), &r->options->zone, &time) == 0) {
        sb_set_real(&r->fields, "time", time);
        return 0;
    }
    snprintf(why, sizeof why, "%s", sb_error_message());
    if (r->table) return sb_error("line %" PRIu64 ": %s", r->table->row->line, why);
    return sb_error("image %zu: %s", r->number, why);
}

/* fathomnet-generate calls a picture that it fetches by its uuid. */
static char *name_by_uuid(const char *uuid, const char *source)
{
    const char *slash = strrchr(source, '/'), *dot = strrchr(slash ? slash : source, '.');
    return *uuid ? sb_format("%s%s", uuid, dot ? dot : "") : NULL;
}

/* The picture's number; -1 with a message. What is said of it is taken where it is first named. */
static int64_t read_picture(struct reading *r)
{
    const char *url, *uuid;
    if (get_text(r, URL, &url) < 0 || get_text(r, IMAGE_UUID, &uuid) < 0) return -1;
    char *source = sb_url_path(url);
    size_t before = r->list->count;
    int64_t number = source ? sb_annotated_picture(r->list, source, NAN) : -1;
    if (!source && r->table) sb_error("line %" PRIu64 ": it names no picture", r->table->row->line);
    if (!source && !r->table) sb_error("image %zu: it has no URL", r->number);
    free(source);
    if (number < 0 || (size_t)number < before) return number;
    struct sb_annotated *a = &r->list->item[number];
    a->url = sb_strdup(url);
    a->also = name_by_uuid(uuid, a->source);
    sb_record_reset(&r->fields);
    if (read_known(r, true) || read_time(r)) return -1;
    if (r->image)
        sb_set_parent_size(&r->fields, json_integer_value(json_object_get(r->image, "width")),
                       json_integer_value(json_object_get(r->image, "height")));
    sb_annotated_about(r->list, (size_t)number, &r->fields);
    return number;
}

/* ---- a box ---- */

/* A label is its reviewer's once it is verified, and its observer's before that. */
static int read_people(struct reading *r, bool *rejected)
{
    const char *state, *observer, *reviewer;
    bool verified = false;
    *rejected = false;
    if (get_text(r, STATE, &state) < 0 || get_text(r, OBSERVER, &observer) < 0 || get_text(r, REVIEWER, &reviewer) < 0)
        return -1;
    if (get_flag(r, REJECTED, rejected) < 0 || get_flag(r, VERIFIED, &verified) < 0) return -1;
    *rejected = *rejected || !strcasecmp(state, "REJECTED");
    verified = verified || !strcasecmp(state, "VERIFIED");
    const char *who = verified && *reviewer ? reviewer : observer;
    if (verified) sb_set_cstr(&r->fields, "label_status", "verified");
    if (*who) sb_set_cstr(&r->fields, "labelled_by", who);
    if (*observer && strcmp(who, observer)) sb_set_cstr(&r->fields, "observer", observer);
    return 0;
}

static void say_unusable(struct reading *r, const char *why)
{
    if (r->table) {
        sb_annotated_unusable(r->list, r->path, "line %" PRIu64 ": %s", r->table->row->line, why);
    } else {
        sb_annotated_unusable(r->list, r->path, "image %zu, box %zu: %s", r->number, r->box_number, why);
    }
}

static int read_box(struct reading *r, size_t picture)
{
    const char *concept;
    double box[4];
    bool rejected;
    int sides = 0;
    sb_record_reset(&r->fields);
    if (get_text(r, CONCEPT, &concept) < 0 || read_people(r, &rejected) || read_known(r, false)) return -1;
    for (size_t i = 0; i < 4; i++) {
        int rc = get_real(r, X + i, &box[i]);
        if (rc < 0) return -1;
        sides += rc;
    }
    if (rejected) {
        sb_annotated_skip(r->list, "rejected by a reviewer");
    } else if (sides < 4 || !sb_annotated_box_is_one(box)) {
        say_unusable(r, sides < 4 ? "it has no box" : "its box is none");
    } else {
        if (*concept) sb_set_cstr(&r->fields, "label", concept);
        sb_annotated_add(r->list, picture, box, &r->fields);
    }
    return 0;
}

/* ---- both kinds of files ---- */

static int each_row(void *arg, const struct sb_csv_table *t)
{
    struct reading *r = arg;
    if (!r->table) sb_csv_table_warn(t, r->path);
    r->table = t;
    int64_t picture = read_picture(r);
    return picture < 0 || read_box(r, (size_t)picture) ? -1 : 0;
}

static int read_table(const char *path, struct reading *r)
{
    struct sb_csv_column column[KNOWN];
    for (size_t i = 0; i < KNOWN; i++) column[i] = (struct sb_csv_column){known[i].names, i <= HEIGHT};
    return sb_csv_table_load(path, column, KNOWN, each_row, r);
}

static int read_image(struct reading *r, const json_t *image)
{
    size_t i;
    const json_t *boxes = sb_json_get(image, "boundingBoxes"), *box;
    r->image = image;
    r->number++;
    if (!json_is_object(image)) return sb_error("image %zu is no object", r->number);
    if (boxes && !json_is_array(boxes)) return sb_error("image %zu: its 'boundingBoxes' is no list", r->number);
    int64_t picture = read_picture(r);
    if (picture < 0) return -1;
    json_array_foreach(boxes, i, box)
    {
        r->box = box;
        r->box_number = i + 1;
        if (!json_is_object(box)) return sb_error("image %zu: box %zu is no object", r->number, i + 1);
        if (read_box(r, (size_t)picture)) return -1;
    }
    return 0;
}

static int read_json(const char *path, struct reading *r)
{
    json_t *root;
    const json_t *image;
    size_t i;
    int rc = 0;
    char why[800];
    if (sb_json_read(path, &root)) return -1;
    if (json_object_get(root, "annotations")) {
        rc = sb_error("it is COCO's JSON: import it as coco");
    } else if (json_is_object(root)) {
        rc = read_image(r, root);
    }
    json_array_foreach(root, i, image)
    {
        if (rc == 0) rc = read_image(r, image);
    }
    json_decref(root);
    if (rc == 0) return 0;
    snprintf(why, sizeof why, "%s", sb_error_message());
    return sb_error("%s: %s", path, why);
}

static int read_fathomnet(const char *path, const struct sb_annotation_options *o, struct sb_annotated_list *list)
{
    struct reading r = {.path = path, .options = o, .list = list};
    int first = sb_json_first(path);
    int rc = first < -1 ? -1 : first == '{' || first == '[' ? read_json(path, &r) : read_table(path, &r);
    sb_record_free(&r.fields);
    return rc;
}

const struct sb_annotation_format sb_fathomnet = {
    "fathomnet", "FILE.csv|FILE.json...", "FathomNet's CSV, and its JSON image records", "images,whole,zone", false,
    false,       read_fathomnet};
