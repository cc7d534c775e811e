/* iFDO, image FAIR digital objects (marine-imaging.com, versions 1 and 2), as JSON or YAML. Fields of the header hold
 * for all items, those of an item go before them; of a list of items the first one's hold for the others. Of a picture,
 * or of a moment of a video:
 *
 *   the item's name               source
 *   image-datetime                time, UTC, or of --zone, if it names none; image-datetime-format is heeded
 *   image-latitude, -longitude    lat, lon
 *   image-altitude-meters         depth, where it is negative (also image-altitude, and image-depth as it is)
 *   image-meters-above-ground     altitude
 *   image-coordinate-uncertainty-meters   coordinateUncertaintyInMeters, as Darwin Core calls it
 *   image-handle                  url; image-uuid: image_uuid; image-hash-sha256: sha256
 *   image-event                   group
 *
 * Of an annotation each label is a record, and in a video each of its frames. ifdo_names.h has what a label says.
 *   shape, coordinates            shape, points, radius, box; an upright rectangle is its box alone
 *   created-at                    labelled_at
 *   frames                        pts, and `segment`, `duration` as keyframes.h has them
 *   its number in the item        track, in a video
 * A video is what is named like one, or else has image-acquisition "video". An item of a video with a date is what
 * holds from then on; an annotation of it without frames is of that moment. */

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "annotation/endings.h"
#include "annotation/format.h"
#include "annotation/ifdo_date.h"
#include "annotation/ifdo_names.h"
#include "annotation/keyframes.h"
#include "annotation/shape.h"
#include "formats/json_file.h"
#include "formats/yaml_file.h"

struct reading {
    const char *path;
    struct sb_zone zone;
    struct sb_annotated_list *list;
    struct sb_ifdo_names names;
    struct sb_record fields, about;
    struct sb_shape_numbers numbers;
    const json_t *header;
    /* The item that is being read. */
    const char *name;
    const json_t *entries; /* a list of them; NULL: there is one */
    const json_t *first;
    double *dates; /* [entries], Unix s; NAN: it has none */
    size_t dates_cap;
    bool video;
    /* The annotation that is being read. */
    const json_t *annotation;
    size_t number; /* from 1 */
    int shape;
};

static const json_t *entry_at(const struct reading *r, size_t i)
{
    return r->entries ? json_array_get(r->entries, i) : i ? NULL : r->first;
}

static size_t entry_count(const struct reading *r) { return r->entries ? json_array_size(r->entries) : 1; }

/* ---- what is known ---- */

/* The first that is there, of an item, of its first entry, of the header. */
static const json_t *look_up(const struct reading *r, const json_t *entry, const char *key)
{
    const json_t *layer[] = {entry, r->first, r->header}, *value = NULL;
    for (int i = 0; i < 3 && !value; i++) value = sb_json_get(layer[i], key);
    return value;
}

static const char *look_up_text(const struct reading *r, const json_t *entry, const char *key)
{
    const json_t *value = look_up(r, entry, key);
    const char *text = json_string_value(json_is_object(value) ? json_object_get(value, "name") : value);
    return text ? text : "";
}

/* What is nearest to the picture counts, whatever it is called. */
static void read_depth(struct reading *r, const json_t *entry)
{
    const json_t *layer[] = {entry, r->first, r->header};
    for (int i = 0; i < 3; i++) {
        const json_t *up = sb_json_get(layer[i], "image-altitude-meters"), *down = sb_json_get(layer[i], "image-depth");
        if (!up) up = sb_json_get(layer[i], "image-altitude");
        if (!json_is_number(up) && !json_is_number(down)) continue;
        double depth = json_is_number(up) ? 0 - json_number_value(up) : json_number_value(down);
        if (depth >= 0) sb_set_real(&r->about, "depth", depth);
        return;
    }
}

static void set_number(struct reading *r, const json_t *entry, const char *key, const char *field)
{
    const json_t *value = look_up(r, entry, key);
    if (json_is_number(value)) sb_set_real(&r->about, field, json_number_value(value));
}

static void set_text(struct reading *r, const json_t *entry, const char *key, const char *field)
{
    const char *text = look_up_text(r, entry, key);
    if (*text) sb_set_cstr(&r->about, field, text);
}

static int bad_date(const struct reading *r)
{
    char *why = sb_strdup(sb_error_message());
    sb_error("%s: %s: %s", r->path, r->name, why);
    free(why);
    return -1;
}

/* An entry's own date, or that of all, for the first. NAN: it has none. -1 with a message. */
static int read_date(struct reading *r, size_t i, double *date)
{
    const json_t *entry = entry_at(r, i);
    const char *text = json_string_value(sb_json_get(entry, "image-datetime"));
    const char *format = look_up_text(r, entry, "image-datetime-format");
    if (!text && i == 0) text = json_string_value(sb_json_get(r->header, "image-datetime"));
    *date = NAN;
    if (!text || !*text) return 0;
    return sb_ifdo_date(text, *format ? format : NULL, &r->zone, date) ? bad_date(r) : 0;
}

static int read_dates(struct reading *r)
{
    size_t n = entry_count(r);
    SB_GROW(r->dates, r->dates_cap, n);
    for (size_t i = 0; i < n; i++)
        if (read_date(r, i, &r->dates[i])) return -1;
    return 0;
}

/* The last entry that is not after that time. */
static const json_t *entry_of(const struct reading *r, double time)
{
    size_t best = 0;
    for (size_t i = 1; i < entry_count(r); i++) {
        if (r->dates[i] <= time && !(r->dates[i] < r->dates[best])) best = i;
    }
    return entry_at(r, best);
}

/* The number of the picture, or of a moment of the video; what is known of it is set where it is new. */
static int64_t read_picture(struct reading *r, double pts)
{
    size_t before = r->list->count;
    int64_t number = sb_annotated_picture(r->list, r->name, pts);
    if (number < 0 || (size_t)number < before) return number;
    double time = r->dates[0] + (isnan(pts) ? 0 : pts);
    const json_t *entry = isnan(pts) ? r->first : entry_of(r, time);
    struct sb_annotated *a = &r->list->item[number];
    const char *url = look_up_text(r, entry, "image-handle"), *event = look_up_text(r, entry, "image-event");
    if (*url) a->url = sb_strdup(url);
    if (*event) a->group = sb_strdup(event);
    sb_record_reset(&r->about);
    if (!isnan(time)) sb_set_real(&r->about, "time", time);
    set_number(r, entry, "image-latitude", "lat");
    set_number(r, entry, "image-longitude", "lon");
    read_depth(r, entry);
    set_number(r, entry, "image-meters-above-ground", "altitude");
    set_number(r, entry, "image-coordinate-uncertainty-meters", "coordinateUncertaintyInMeters");
    set_text(r, entry, "image-uuid", "image_uuid");
    set_text(r, entry, "image-hash-sha256", "sha256");
    if (r->about.count) sb_annotated_about(r->list, (size_t)number, &r->about);
    return number;
}

/* ---- annotations ---- */

static int shape_of(const char *name)
{
    static const char *const names[] = {
        [SB_SHAPE_POINT] = "single-pixel", [SB_SHAPE_CIRCLE] = "circle",   [SB_SHAPE_POLYGON] = "polygon",
        [SB_SHAPE_LINE] = "polyline",      [SB_SHAPE_ELLIPSE] = "ellipse", [SB_SHAPE_RECTANGLE] = "rectangle",
        [SB_SHAPE_WHOLE] = "whole-image",
    };
    int i = SB_SHAPES - 1;
    while (i >= 0 && (!name || strcmp(name, names[i]))) i--;
    return i;
}

static void say_unusable(struct reading *r, const char *why)
{
    sb_annotated_unusable(r->list, r->path, "%s: annotation %zu: %s", r->name, r->number, why);
}

/* Each label of one frame. -1 with a message. */
static int add_labels(struct reading *r, double pts, const double *box)
{
    const json_t *labels = json_object_get(r->annotation, "labels"), *label;
    int64_t picture = read_picture(r, pts);
    size_t i;
    if (picture < 0) return -1;
    if (json_array_size(labels) == 0) sb_annotated_add(r->list, (size_t)picture, box, &r->fields);
    json_array_foreach(labels, i, label)
    {
        const char *created = json_string_value(json_object_get(label, "created-at"));
        double time;
        sb_ifdo_names_set(&r->names, label, &r->fields);
        if (created && *created) {
            if (sb_ifdo_date(created, NULL, &r->zone, &time)) return bad_date(r);
            sb_set_real(&r->fields, "labelled_at", time);
        }
        sb_annotated_add(r->list, (size_t)picture, box, &r->fields);
    }
    return 0;
}

/* `points` is a list of numbers, or one that holds it. */
static int add_frame(void *arg, double pts, const json_t *points)
{
    struct reading *r = arg;
    double box[4];
    const json_t *inner = json_array_get(points, 0);
    bool read = r->shape == SB_SHAPE_WHOLE || sb_shape_read(&r->numbers, json_is_array(inner) ? inner : points);
    int boxed = -1;
    if (!read) {
        sb_error("its coordinates are no list of numbers");
    } else {
        boxed = sb_shape_set(&r->fields, (enum sb_shape)r->shape, r->numbers.v, r->numbers.count, box);
    }
    if (boxed < 0) say_unusable(r, sb_error_message());
    return boxed < 0 ? 0 : add_labels(r, pts, boxed ? box : NULL);
}

static int read_video_annotation(struct reading *r, size_t entry)
{
    const json_t *frames = sb_json_get(r->annotation, "frames");
    const json_t *points = json_object_get(r->annotation, "coordinates");
    char number[24];
    snprintf(number, sizeof number, "%zu", r->number);
    sb_set_cstr(&r->fields, "track", number);
    if (!frames && !isnan(r->dates[entry] - r->dates[0])) return add_frame(r, r->dates[entry] - r->dates[0], points);
    if (!frames || json_array_size(frames) == 0) {
        say_unusable(r, "it is of a whole video, which is no moment");
        return 0;
    }
    int rc = sb_keyframes_each(frames, points, r->shape == SB_SHAPE_WHOLE, &r->fields, add_frame, r);
    if (rc > 0) say_unusable(r, sb_error_message());
    return rc < 0 ? -1 : 0;
}

static int read_annotations(struct reading *r, size_t entry)
{
    const json_t *all = sb_json_get(entry_at(r, entry), "image-annotations"), *one;
    size_t i;
    json_array_foreach(all, i, one)
    {
        const char *shape = json_string_value(json_object_get(one, "shape"));
        r->annotation = one;
        r->number++;
        r->shape = shape_of(shape);
        sb_record_reset(&r->fields);
        if (r->shape < 0) {
            say_unusable(r, shape ? "its shape is none of iFDO's" : "it has no shape");
        } else if (r->video ? read_video_annotation(r, entry)
                            : add_frame(r, NAN, json_object_get(one, "coordinates"))) {
            return -1;
        }
    }
    return 0;
}

/* ---- items ---- */

static bool is_video(const struct reading *r)
{
    if (sb_names_video(r->name) || sb_names_picture(r->name)) return sb_names_video(r->name);
    return !strcasecmp(look_up_text(r, r->first, "image-acquisition"), "video");
}

static int read_item(struct reading *r, const char *name, const json_t *item)
{
    r->name = name;
    r->entries = json_is_array(item) ? item : NULL;
    r->first = r->entries ? json_array_get(item, 0) : item;
    r->number = 0;
    if (!json_is_object(r->first)) return sb_error("%s: %s: it is no object", r->path, name);
    r->video = is_video(r);
    if (read_dates(r)) return -1;
    if (!r->video && read_picture(r, NAN) < 0) return -1; /* without annotations, too */
    for (size_t i = 0; i < entry_count(r); i++) {
        sb_ifdo_names_add(&r->names, entry_at(r, i));
        if (read_annotations(r, i)) return -1;
    }
    if (r->video && r->number == 0) sb_annotated_skip_file(r->list, "video without an annotation", name, "");
    return 0;
}

static int read_root(struct reading *r, const json_t *root)
{
    const json_t *items = sb_json_get(root, "image-set-items");
    const char *name;
    json_t *item;
    r->header = sb_json_get(root, "image-set-header");
    if (!json_is_object(items)) return sb_error("%s: not an iFDO: it has no object 'image-set-items'", r->path);
    sb_ifdo_names_add(&r->names, r->header);
    json_object_foreach((json_t *)items, name, item)
    {
        if (read_item(r, name, item)) return -1;
    }
    return 0;
}

static int read_ifdo(const char *path, const struct sb_annotation_options *o, struct sb_annotated_list *list)
{
    struct reading r = {.path = path, .zone = o->zone, .list = list};
    json_t *root;
    if (sb_yaml_or_json_read(path, &root)) return -1;
    r.zone.given = true;
    int rc = read_root(&r, root);
    sb_ifdo_names_free(&r.names);
    sb_record_free(&r.fields);
    sb_record_free(&r.about);
    free(r.numbers.v);
    free(r.dates);
    json_decref(root);
    return rc;
}

const struct sb_annotation_format sb_ifdo = {
    "ifdo", "FILE.json|FILE.yaml...", "iFDO, of pictures and of videos", "images,whole,zone", false, false, read_ifdo};
