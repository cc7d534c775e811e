/* COCO's JSON (cocodataset.org, "Data format" of object detection), as FathomNet, Roboflow and CVAT write it, and its
 * results: a list of detections, whose images and categories another file has. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "annotation/coco_annotation.h"
#include "annotation/format.h"
#include "media/image.h"

struct known {
    char *id;                     /* sb_coco_id() */
    size_t index;                 /* of an image: the picture's number */
    const char *category, *above; /* of a category: its name, and that of the group it is in; borrowed from the JSON */
};

struct table {
    struct known *item;
    size_t count, cap;
};

/* Whose dates of pictures are in UTC without saying so, and whose are not those of the pictures. */
enum dates { DATES_AS_GIVEN, DATES_UTC, DATES_NONE };

struct reading {
    const char *path;
    const struct sb_annotation_options *o;
    struct sb_annotated_list *list;
    struct table images, categories;
    enum dates dates;
    struct sb_record fields; /* of an image */
    struct sb_coco_annotation annotation;
    size_t undated, simplified;
};

/* ---- ids ---- */

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct known *)a)->id, ((const struct known *)b)->id);
}

static const struct known *find(const struct table *t, const json_t *id)
{
    struct known key = {.id = sb_coco_id(id)};
    const struct known *k = key.id && t->count ? bsearch(&key, t->item, t->count, sizeof key, by_id) : NULL;
    free(key.id);
    return k;
}

/* NULL if there is no id. */
static struct known *add(struct table *t, const json_t *id)
{
    char *text = sb_coco_id(id);
    if (!text) return NULL;
    SB_GROW(t->item, t->cap, t->count + 1);
    t->item[t->count] = (struct known){.id = text};
    return &t->item[t->count++];
}

/* Sorts for find(); -1 with a message if an id stands twice. */
static int finish(struct table *t, const char *path, const char *what)
{
    if (t->count) qsort(t->item, t->count, sizeof *t->item, by_id);
    for (size_t i = 1; i < t->count; i++) {
        if (!strcmp(t->item[i].id, t->item[i - 1].id))
            return sb_error("%s: two %s have the id %s", path, what, t->item[i].id);
    }
    return 0;
}

static void table_free(struct table *t)
{
    for (size_t i = 0; i < t->count; i++) free(t->item[i].id);
    free(t->item);
}

/* ---- a data set's lists ---- */

static const json_t *array_of(const json_t *root, const char *key, const char *path)
{
    const json_t *a = json_object_get(root, key);
    if (json_is_array(a)) return a;
    sb_error("%s: not a COCO file: no list '%s'", path, key);
    return NULL;
}

static int read_categories(struct reading *r, const json_t *root, const char *path)
{
    const json_t *all = array_of(root, "categories", path), *one;
    size_t i;
    if (!all) return -1;
    json_array_foreach(all, i, one)
    {
        const char *name = json_string_value(json_object_get(one, "name"));
        struct known *category = name ? add(&r->categories, json_object_get(one, "id")) : NULL;
        if (!category) return sb_error("%s: category %zu has no id or no name", path, i + 1);
        category->category = name;
        category->above = json_string_value(json_object_get(one, "supercategory"));
    }
    return finish(&r->categories, path, "categories");
}

/* FathomNet cuts the Z off; Roboflow's are when a picture was uploaded. */
static enum dates dates_of(const json_t *root)
{
    const json_t *info = json_object_get(root, "info");
    const char *description = json_string_value(json_object_get(info, "description"));
    const char *contributor = json_string_value(json_object_get(info, "contributor"));
    if (contributor && !strcmp(contributor, "FathomNet")) return DATES_UTC;
    return description && strcasestr(description, "roboflow") ? DATES_NONE : DATES_AS_GIVEN;
}

/* A date that can't be told is left out and counted. */
static void read_date(struct reading *r, const json_t *image)
{
    const char *text = json_string_value(json_object_get(image, "date_captured"));
    struct sb_zone utc = {.given = true};
    double time;
    if (!text || !*text || r->dates == DATES_NONE) return;
    if (sb_clock_parse(text, strlen(text), r->dates == DATES_UTC ? &utc : &r->o->zone, &time) == 0) {
        sb_set_real(&r->fields, "time", time);
    } else {
        r->undated++;
    }
}

/* What an image says of itself beside its name. */
static void read_about(struct reading *r, const json_t *image, size_t picture)
{
    struct sb_annotated *a = &r->list->item[picture];
    const char *url = json_string_value(json_object_get(image, "coco_url"));
    if (!url || !*url) url = json_string_value(json_object_get(image, "url"));
    if (url && *url && !a->url) a->url = sb_strdup(url);
    sb_record_reset(&r->fields);
    sb_set_parent_size(&r->fields, json_integer_value(json_object_get(image, "width")),
                   json_integer_value(json_object_get(image, "height")));
    read_date(r, image);
    if (r->fields.count) sb_annotated_about(r->list, picture, &r->fields);
}

static int read_images(struct reading *r, const json_t *root, const char *path)
{
    const json_t *all = array_of(root, "images", path), *one;
    size_t i;
    if (!all) return -1;
    r->dates = dates_of(root);
    json_array_foreach(all, i, one)
    {
        const char *name = json_string_value(json_object_get(one, "file_name"));
        int64_t picture = name && *name ? sb_annotated_picture(r->list, name, NAN) : -1;
        struct known *image = picture >= 0 ? add(&r->images, json_object_get(one, "id")) : NULL;
        if (!image) return sb_error("%s: image %zu has no id or no file_name", path, i + 1);
        image->index = (size_t)picture;
        read_about(r, one, (size_t)picture);
    }
    return finish(&r->images, path, "images");
}

/* ---- annotations ---- */

static void set_prediction(struct sb_record *fields, const char *name, double score)
{
    struct sb_buffer list = {0};
    msgpack_packer pk;
    msgpack_packer_init(&pk, &list, sb_buffer_write);
    msgpack_pack_array(&pk, 1);
    msgpack_pack_array(&pk, 2);
    msgpack_pack_str(&pk, strlen(name));
    msgpack_pack_str_body(&pk, name, strlen(name));
    msgpack_pack_double(&pk, score);
    sb_set_packed(fields, "predicted", list.data, list.size);
    free(list.data);
}

/* A category that is null, as in FathomNet's test sets, is not yet known; one that the file does not list is a mistake.
 * A result's is what a machine thinks. */
static void set_category(struct reading *r, const json_t *id, bool result)
{
    struct sb_record *fields = &r->annotation.fields;
    const struct known *category = find(&r->categories, id);
    double score;
    if (!category) {
        r->list->nameless += id && !json_is_null(id);
        return;
    }
    if (category->above && *category->above) sb_set_cstr(fields, "supercategory", category->above);
    if (!result) {
        if (*category->category) sb_set_cstr(fields, "label", category->category);
        return;
    }
    if (sb_get_real(fields, "confidence", &score) != 1) score = 1;
    sb_record_remove(fields, "confidence");
    set_prediction(fields, category->category, score);
}

static int read_annotations(struct reading *r, const json_t *all, bool results)
{
    const json_t *one;
    size_t i;
    json_array_foreach(all, i, one)
    {
        const struct known *image = find(&r->images, json_object_get(one, "image_id"));
        const char *why = sb_coco_annotation_read(&r->annotation, one);
        if (!why && !image) why = "its image is not in the file";
        if (why) {
            sb_annotated_unusable(r->list, r->path, "annotation %zu: %s", i + 1, why);
            continue;
        }
        r->simplified += r->annotation.simplified;
        set_category(r, json_object_get(one, "category_id"), results);
        sb_annotated_add(r->list, image->index, r->annotation.box, &r->annotation.fields);
    }
    return 0;
}

static int read_all(struct reading *r, const json_t *root)
{
    const json_t *annotations = array_of(root, "annotations", r->path);
    if (!annotations || read_categories(r, root, r->path) || read_images(r, root, r->path)) return -1;
    return read_annotations(r, annotations, false);
}

static int read_results(struct reading *r, const json_t *results)
{
    json_t *dataset;
    const char *path = r->o->dataset;
    if (!path) return sb_error("%s: a list, as COCO's results are: --dataset FILE.json has their images", r->path);
    if (sb_json_read(path, &dataset)) return -1;
    int rc = read_categories(r, dataset, path) || read_images(r, dataset, path) ? -1 : 0;
    if (rc == 0) rc = read_annotations(r, results, true);
    json_decref(dataset);
    return rc;
}

static int read_coco(const char *path, const struct sb_annotation_options *o, struct sb_annotated_list *list)
{
    struct reading r = {.path = path, .o = o, .list = list};
    json_t *root;
    if (sb_json_read(path, &root)) return -1;
    int rc = json_is_array(root) ? read_results(&r, root) : read_all(&r, root);
    if (rc == 0 && r.undated)
        sb_warn("%s: %zu dates without a zone, or that are none, are left out: --zone takes them", path, r.undated);
    if (rc == 0 && r.simplified)
        sb_warn("%s: %zu outlines of several pieces, or masks, are left out: their boxes stay", path, r.simplified);
    table_free(&r.images);
    table_free(&r.categories);
    sb_record_free(&r.fields);
    sb_coco_annotation_free(&r.annotation);
    json_decref(root);
    return rc;
}

const struct sb_annotation_format sb_coco = {
    "coco", "FILE.json...", "COCO's JSON, as FathomNet publishes it", "images,whole,zone,dataset", false,
    false,  read_coco};
