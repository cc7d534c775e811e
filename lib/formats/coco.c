#include "formats/coco.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "formats/names.h"

/* Ids are numbers in COCO, text in some files that call themselves so; either is looked up by its text. */
struct known {
    char *id;
    size_t index;         /* of an image */
    const char *category; /* of a category */
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

static int read_categories(const json_t *root, const char *path, struct sb_annotated_list *list, struct table *table)
{
    const json_t *all = array_of(root, "categories", path), *one;
    size_t i;
    if (!all) return -1;
    json_array_foreach(all, i, one)
    {
        const char *name = json_string_value(json_object_get(one, "name"));
        if (!name || add(table, json_object_get(one, "id"), 0, sb_annotated_label(list, name))) {
            return sb_error("%s: category %zu has no id or no name", path, i + 1);
        }
    }
    return finish(table, path, "categories");
}

static int read_images(const json_t *root, const char *path, const char *folder, struct sb_annotated_list *list,
                       struct table *table)
{
    const json_t *all = array_of(root, "images", path), *one;
    size_t i;
    if (!all) return -1;
    json_array_foreach(all, i, one)
    {
        const char *name = json_string_value(json_object_get(one, "file_name"));
        const char *url = json_string_value(json_object_get(one, "coco_url"));
        if (!name || !*name || add(table, json_object_get(one, "id"), list->count, NULL)) {
            return sb_error("%s: image %zu has no id or no file_name", path, i + 1);
        }
        struct sb_annotated *a = sb_annotated_add(list);
        a->path = sb_name_join(folder, name);
        a->source = sb_strdup(name);
        if (url && *url) a->url = sb_strdup(url);
    }
    return finish(table, path, "images");
}

static bool read_box(const json_t *box, double out[4])
{
    if (json_array_size(box) != 4) return false;
    for (size_t i = 0; i < 4; i++) {
        const json_t *side = json_array_get(box, i);
        out[i] = json_number_value(side);
        if (!json_is_number(side) || !isfinite(out[i]) || fabs(out[i]) > 1e9) return false;
    }
    return out[2] > 0 && out[3] > 0;
}

static int read_annotations(const json_t *root, const char *path, struct sb_annotated_list *list,
                            const struct table *images, const struct table *categories)
{
    const json_t *all = array_of(root, "annotations", path), *one;
    size_t i;
    if (!all) return -1;
    json_array_foreach(all, i, one)
    {
        struct sb_annotation annotation;
        const struct known *image = find(images, json_object_get(one, "image_id"));
        const struct known *category = find(categories, json_object_get(one, "category_id"));
        if (!image || !read_box(json_object_get(one, "bbox"), annotation.box)) {
            list->boxless++;
            continue;
        }
        annotation.label = category ? category->category : NULL;
        struct sb_annotated *a = &list->item[image->index];
        SB_GROW(a->annotation, a->cap, a->count + 1);
        a->annotation[a->count++] = annotation;
    }
    return 0;
}

int sb_coco_read(const char *path, const char *images, struct sb_annotated_list *list)
{
    json_error_t why;
    struct table image = {0}, category = {0};
    FILE *file = fopen(path, "rbe");
    if (!file) return sb_error("%s: %s", path, strerror(errno));
    json_t *root = json_loadf(file, 0, &why);
    int broken = ferror(file) ? errno : 0;
    fclose(file);
    if (broken) {
        json_decref(root);
        return sb_error("%s: %s", path, strerror(broken));
    }
    if (!root) return sb_error("%s: line %d: %s", path, why.line, why.text);
    int rc = read_categories(root, path, list, &category);
    if (rc == 0) rc = read_images(root, path, images, list, &image);
    if (rc == 0) rc = read_annotations(root, path, list, &image, &category);
    table_free(&image);
    table_free(&category);
    json_decref(root);
    return rc;
}
