/* COCO's results (cocodataset.org, "Results format"): a list of detections, whose numbers of images and categories are
 * those of the data set that they are held against, by pycocotools' loadRes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "annotation/coco_parts.h"
#include "base/dictionary.h"
#include "base/opt.h"
#include "formats/exporter.h"
#include "formats/json_file.h"
#include "formats/names.h"

/* Names and the ids that they have, as JSON has them: numbers, or text in some files. */
struct ids {
    struct sb_dictionary names;
    json_t **id; /* [names.count], borrowed from the file; NULL: two have the name */
    size_t cap;
};

struct run {
    struct sb_view view;
    struct sb_counts *counts;
    json_t *dataset;
    struct ids images, categories, short_names; /* short: without folders */
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* false: the name was there before. */
static bool add(struct ids *ids, const char *name, json_t *id)
{
    size_t before = ids->names.count;
    uint32_t number = sb_dictionary_add(&ids->names, name, strlen(name));
    SB_GROW(ids->id, ids->cap, ids->names.count);
    ids->id[number] = number == before ? id : NULL;
    return number == before;
}

static json_t *find(const struct ids *ids, const char *name, size_t size)
{
    int64_t number = sb_dictionary_find(&ids->names, name, size);
    return number < 0 ? NULL : ids->id[number];
}

static int read_names(struct run *r, const char *path, const char *list, const char *key, struct ids *ids)
{
    json_t *all = json_object_get(r->dataset, list), *one;
    size_t i;
    if (!json_is_array(all)) return sb_error("%s: not a COCO file: no list '%s'", path, list);
    json_array_foreach(all, i, one)
    {
        const char *name = json_string_value(json_object_get(one, key));
        json_t *id = json_object_get(one, "id");
        if (!name || (!json_is_integer(id) && !json_is_string(id)))
            return sb_error("%s: number %zu of its %s has no id or no %s", path, i + 1, list, key);
        if (!add(ids, name, id)) return sb_error("%s: two of its %s have the %s '%s'", path, list, key, name);
        if (ids == &r->images) add(&r->short_names, base_name(name), id);
    }
    return 0;
}

static int results_open(void *run, const struct sb_export_options *o, const struct sb_record *header)
{
    struct run *r = run;
    (void)header;
    r->view.least = o->least;
    r->counts = o->counts;
    if (!o->dataset) sb_usage("coco-results needs --dataset FILE.json, whose images and categories it is about");
    if (sb_json_read(o->dataset, &r->dataset)) return -1;
    return read_names(r, o->dataset, "images", "file_name", &r->images) ||
                   read_names(r, o->dataset, "categories", "name", &r->categories)
               ? -1
               : 0;
}

static int results_begin(void *run, void *output, FILE *out, const char *path)
{
    (void)run;
    (void)output;
    (void)path;
    putc('[', out);
    return 0;
}

static void put_id(FILE *out, const json_t *id)
{
    if (json_is_integer(id)) {
        fprintf(out, "%lld", (long long)json_integer_value(id));
    } else {
        sb_json_text(out, json_string_value(id), json_string_length(id));
    }
}

static bool write_one(struct run *r, bool *begun, FILE *out, const struct sb_viewed *one, const json_t *image)
{
    const json_t *category = one->name.size ? find(&r->categories, one->name.text, one->name.size) : NULL;
    const char *why = !one->boxed       ? "annotation without a box"
                      : !one->name.size ? "box without a name"
                      : !category       ? "of a category that the data set does not have"
                                        : NULL;
    if (why) {
        sb_counts_skip(r->counts, why);
        return false;
    }
    double score = isnan(one->probability) ? one->confidence : one->probability;
    fprintf(out, "%s{\"image_id\":", *begun ? ",\n" : "\n");
    *begun = true;
    put_id(out, image);
    fputs(",\"category_id\":", out);
    put_id(out, category);
    sb_coco_box(out, one);
    sb_coco_score(out, isfinite(score) ? score : 1);
    putc('}', out);
    return true;
}

static int results_write(void *run, void *output, FILE *out, struct sb_record *rec)
{
    struct run *r = run;
    bool shown = false;
    if (sb_view_read(&r->view, rec)) return -1;
    sb_view_count(&r->view, r->counts);
    char *name = sb_view_name(&r->view);
    const json_t *image = find(&r->images, name, strlen(name));
    if (!image) image = find(&r->short_names, base_name(name), strlen(base_name(name)));
    free(name);
    for (size_t i = 0; image && i < r->view.count; i++)
        shown = write_one(r, output, out, &r->view.item[i], image) || shown;
    if (!image) sb_counts_skip(r->counts, "of a picture that the data set does not have");
    return shown;
}

static int results_end(void *run, void *output, FILE *out)
{
    (void)run;
    (void)output;
    fputs("]\n", out);
    return 0;
}

static void free_ids(struct ids *ids)
{
    sb_dictionary_free(&ids->names);
    free(ids->id);
}

static int results_close(void *run, uint64_t records)
{
    struct run *r = run;
    (void)records;
    free_ids(&r->images);
    free_ids(&r->categories);
    free_ids(&r->short_names);
    json_decref(r->dataset);
    sb_view_free(&r->view);
    return 0;
}

const struct sb_exporter sb_export_coco_results = {.name = "coco-results",
                                                   .suffix = ".json",
                                                   .summary = "detections to be held against a COCO data set",
                                                   .options = "dataset,min-prob",
                                                   .is_text = true,
                                                   .run_size = sizeof(struct run),
                                                   .output_size = sizeof(bool),
                                                   .open = results_open,
                                                   .begin = results_begin,
                                                   .write = results_write,
                                                   .end = results_end,
                                                   .close = results_close};
