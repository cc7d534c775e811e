/* COCO's JSON (cocodataset.org, "object detection"), as FathomNet, Roboflow and CVAT write it. */

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "annotation/format.h"
#include "formats/json_file.h"

/* Ids are numbers in COCO, text in some files that call themselves so; either is looked up by its text. */
struct known {
    char *id;
    size_t index;         /* of an image: the picture's number */
    const char *category; /* of a category: its name, borrowed from the JSON */
};

struct table {
    struct known *item;
    size_t count, cap;
};

static char *id_text(const json_t *id)
{
    if (json_is_integer(id)) return sb_format("%lld", (long long)json_integer_value(id));
    return json_is_string(id) ? sb_format("\"%s\"", json_string_value(id)) : NULL;
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct known *)a)->id, ((const struct known *)b)->id);
}

static const struct known *find(const struct table *t, const json_t *id)
{
    struct known key = {.id = id_text(id)};
    const struct known *k = key.id && t->count ? bsearch(&key, t->item, t->count, sizeof key, by_id) : NULL;
    free(key.id);
    return k;
}

/* -1 if there is no id. */
static int add(struct table *t, const json_t *id, size_t index, const char *category)
{
    char *text = id_text(id);
    if (!text) return -1;
    SB_GROW(t->item, t->cap, t->count + 1);
    t->item[t->count++] = (struct known){text, index, category};
    return 0;
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

static const json_t *array_of(const json_t *root, const char *key, const char *path)
{
    const json_t *a = json_object_get(root, key);
    if (json_is_array(a)) return a;
    sb_error("%s: not a COCO file: no list '%s'", path, key);
    return NULL;
}

static int read_categories(const json_t *root, const char *path, struct table *table)
{
    const json_t *all = array_of(root, "categories", path), *one;
    size_t i;
    if (!all) return -1;
    json_array_foreach(all, i, one)
    {
        const char *name = json_string_value(json_object_get(one, "name"));
        if (!name || add(table, json_object_get(one, "id"), 0, name)) {
            return sb_error("%s: category %zu has no id or no name", path, i + 1);
        }
    }
    return finish(table, path, "categories");
}

/* What an image says of itself beside its name. */
static void read_about(const json_t *image, size_t picture, struct sb_record *fields, struct sb_annotated_list *list)
{
    const char *url = json_string_value(json_object_get(image, "coco_url"));
    if (!url || !*url) url = json_string_value(json_object_get(image, "url"));
    if (url && *url && !list->item[picture].url) list->item[picture].url = sb_strdup(url);
    sb_record_reset(fields);
    sb_parent_size(fields, json_integer_value(json_object_get(image, "width")),
                   json_integer_value(json_object_get(image, "height")));
    if (fields->count) sb_annotated_about(list, picture, fields);
}

static int read_images(const json_t *root, const char *path, struct sb_annotated_list *list, struct table *table)
{
    const json_t *all = array_of(root, "images", path), *one;
    struct sb_record fields = {0};
    size_t i;
    int rc = all ? 0 : -1;
    json_array_foreach(all, i, one)
    {
        const char *name = json_string_value(json_object_get(one, "file_name"));
        int64_t picture = name && *name ? sb_annotated_picture(list, name, NAN) : -1;
        if (picture < 0 || add(table, json_object_get(one, "id"), (size_t)picture, NULL)) {
            rc = sb_error("%s: image %zu has no id or no file_name", path, i + 1);
            break;
        }
        read_about(one, (size_t)picture, &fields, list);
    }
    sb_record_free(&fields);
    return rc ? rc : finish(table, path, "images");
}

static bool read_box(const json_t *box, double out[4])
{
    if (json_array_size(box) != 4) return false;
    for (size_t i = 0; i < 4; i++) {
        const json_t *side = json_array_get(box, i);
        out[i] = json_number_value(side);
        if (!json_is_number(side)) return false;
    }
    return sb_annotated_box_is_one(out);
}

/* A category that is null, as in FathomNet's test sets, is not yet known; one that the file does not list is a mistake.
 */
static void read_category(const json_t *id, const struct table *categories, struct sb_record *fields,
                          struct sb_annotated_list *list)
{
    const struct known *category = find(categories, id);
    if (category) sb_set_cstr(fields, "label", category->category);
    if (!category && id && !json_is_null(id)) list->nameless++;
}

static int read_annotations(const json_t *root, const char *path, struct sb_annotated_list *list,
                            const struct table *images, const struct table *categories)
{
    const json_t *all = array_of(root, "annotations", path), *one;
    struct sb_record fields = {0};
    size_t i;
    json_array_foreach(all, i, one)
    {
        double box[4];
        const struct known *image = find(images, json_object_get(one, "image_id"));
        if (!image || !read_box(json_object_get(one, "bbox"), box)) {
            sb_annotated_unusable(list, path, "annotation %zu: %s", i + 1,
                                  image ? "its bbox is none" : "its image is not in the file");
            continue;
        }
        sb_record_reset(&fields);
        read_category(json_object_get(one, "category_id"), categories, &fields, list);
        const json_t *score = json_object_get(one, "score");
        char *id = id_text(json_object_get(one, "id"));
        if (id) sb_set_text(&fields, "annotation_id", id + (*id == '"'), strlen(id) - (*id == '"' ? 2 : 0));
        if (json_is_number(score)) sb_set_real(&fields, "confidence", json_number_value(score));
        sb_annotated_add(list, image->index, box, &fields);
        free(id);
    }
    sb_record_free(&fields);
    return all ? 0 : -1;
}

static int read_coco(const char *path, const struct sb_annotation_options *o, struct sb_annotated_list *list)
{
    struct table image = {0}, category = {0};
    json_t *root;
    (void)o;
    if (sb_json_read(path, &root)) return -1;
    int rc = read_categories(root, path, &category);
    if (rc == 0) rc = read_images(root, path, list, &image);
    if (rc == 0) rc = read_annotations(root, path, list, &image, &category);
    table_free(&image);
    table_free(&category);
    json_decref(root);
    return rc;
}

const struct sb_annotation_format sb_coco = {"coco", "FILE.json...", "COCO's JSON, as FathomNet publishes it",
                                             false,  false,          read_coco};
