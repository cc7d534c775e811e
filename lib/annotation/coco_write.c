/* COCO's JSON (cocodataset.org, "Data format", object detection), as pycocotools, torchvision and FiftyOne read it.
 *
 * Categories are sorted by name, and annotations have their numbers, so nothing but the images can be written before
 * the stream has ended: annotations wait, packed, in a temporary file, images and categories in memory. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "annotation/coco_parts.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/dictionary.h"
#include "base/opt.h"
#include "base/temporary.h"
#include "formats/exporter.h"

struct image {
    size_t at, size; /* of the text that begins after its id */
    int64_t width, height;
};

/* An annotation as it waits, with the text that follows category_id. */
struct waiting {
    int64_t given;            /* the number that it had; 0: none */
    uint32_t image, category; /* numbers from 0; category UINT32_MAX: none */
};

struct dataset {
    struct sb_dictionary images, categories;
    struct image *image;
    char **above; /* [categories.count]: the group that each is in, or NULL */
    size_t image_cap, above_cap;
    struct sb_buffer image_text, text;
    FILE *wait;
    int64_t *given; /* [annotations] */
    size_t annotations, cap, unsized;
};

struct run {
    struct sb_view view;
    struct sb_counts *counts;
    const char *prefix; /* of URLs; NULL: none */
};

static int coco_open(void *run, const struct sb_export_options *o, const struct sb_record *header)
{
    struct run *r = run;
    (void)header;
    r->view.least = o->least;
    r->counts = o->counts;
    r->prefix = o->url_prefix;
    return 0;
}

static int coco_begin(void *run, void *output, FILE *out, const char *path)
{
    struct dataset *d = output;
    (void)run;
    (void)out;
    (void)path;
    d->wait = sb_temporary_stdio();
    return d->wait ? 0 : -1;
}

/* ---- records come in ---- */

static void image_text(struct dataset *d, struct image *image, const char *name, const struct run *r)
{
    const struct sb_view *v = &r->view;
    char *url = sb_view_url(v, r->prefix);
    char clock[SB_CLOCK_TEXT];
    image->at = d->image_text.size;
    FILE *out = sb_buffer_stdio(&d->image_text);
    fputs(",\"file_name\":", out);
    sb_json_text(out, name, strlen(name));
    if (url) {
        fputs(",\"coco_url\":", out);
        sb_json_text(out, url, strlen(url));
    }
    free(url);
    if (!isnan(v->time)) fprintf(out, ",\"date_captured\":\"%s\"", sb_clock_text(v->time, -1, clock));
    fclose(out);
    image->size = d->image_text.size - image->at;
}

static uint32_t image_of(struct dataset *d, const struct run *r)
{
    const struct sb_view *v = &r->view;
    char *name = sb_view_name(v);
    size_t before = d->images.count;
    uint32_t number = sb_dictionary_add(&d->images, name, strlen(name));
    SB_GROW(d->image, d->image_cap, d->images.count);
    struct image *image = &d->image[number];
    if (number == before) {
        *image = (struct image){0};
        image_text(d, image, name, r);
    }
    if (!image->width) {
        image->width = v->width;
        image->height = v->height;
    }
    free(name);
    return number;
}

/* A number from 1 to 2^53, which all JSON readers keep. */
static int64_t given_id(struct sb_span id)
{
    int64_t n = 0;
    if (!id.size || id.size > 16 || id.text[0] == '0') return 0;
    for (size_t i = 0; i < id.size; i++) {
        if (id.text[i] < '0' || id.text[i] > '9') return 0;
        n = n * 10 + (id.text[i] - '0');
    }
    return n <= (int64_t)1 << 53 ? n : 0;
}

/* A category's group is what its first annotation says. */
static int category_of(struct dataset *d, struct sb_record *rec, struct sb_span name, uint32_t *category)
{
    size_t before = d->categories.count;
    struct sb_span above = {"", 0};
    *category = sb_dictionary_add(&d->categories, name.text, name.size);
    if (*category < before) return 0;
    SB_GROW(d->above, d->above_cap, d->categories.count);
    d->above[*category] = NULL;
    if (sb_get_text(rec, "supercategory", &above.text, &above.size) < 0) return -1;
    if (above.size) d->above[*category] = sb_strndup(above.text, above.size);
    return 0;
}

static int wait(struct dataset *d, const struct sb_view *v, const struct sb_viewed *one, uint32_t image)
{
    struct waiting w = {
        .given = v->count == 1 ? given_id(v->annotation_id) : 0, .image = image, .category = UINT32_MAX};
    if (one->name.size && category_of(d, v->rec, one->name, &w.category)) return -1;
    d->text.size = 0;
    FILE *text = sb_buffer_stdio(&d->text);
    double score = isnan(one->probability) ? one->confidence : one->probability;
    sb_coco_box(text, one);
    sb_coco_outline(text, one);
    int rc = sb_coco_attributes(text, v->rec);
    if (!isnan(score)) sb_coco_score(text, score);
    fclose(text);
    if (rc) return -1;
    SB_GROW(d->given, d->cap, d->annotations + 1);
    d->given[d->annotations++] = w.given;
    return sb_temporary_put(d->wait, &w, sizeof w, &d->text);
}

static int coco_write(void *run, void *output, FILE *out, struct sb_record *rec)
{
    struct run *r = run;
    (void)out;
    if (sb_view_read(&r->view, rec)) return -1;
    if (!r->view.source.size) return sb_error("no field 'source'");
    sb_view_count(&r->view, r->counts);
    uint32_t image = image_of(output, r);
    for (size_t i = 0; i < r->view.count; i++) {
        const struct sb_viewed *one = &r->view.item[i];
        if (!one->boxed) sb_counts_skip(r->counts, "annotation without a box");
        if (one->boxed && wait(output, &r->view, one, image)) return -1;
    }
    return 1;
}

/* ---- the file ---- */

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* Numbers are kept where all annotations have one and all differ. */
static bool keeps_numbers(struct dataset *d)
{
    if (d->annotations) qsort(d->given, d->annotations, sizeof *d->given, by_number);
    bool keep = d->annotations && d->given[0];
    for (size_t i = 1; keep && i < d->annotations; i++) keep = d->given[i] != d->given[i - 1];
    return keep;
}

static void write_images(struct dataset *d, FILE *out)
{
    fputs("{\"info\":{\"description\":\"written by SeaBot " SB_VERSION "\"},\"licenses\":[],\n\"images\":[", out);
    for (size_t i = 0; i < d->images.count; i++) {
        const struct image *image = &d->image[i];
        fprintf(out, "%s{\"id\":%zu", i ? ",\n" : "\n", i + 1);
        fwrite(d->image_text.data + image->at, 1, image->size, out);
        if (image->width) fprintf(out, ",\"width\":%" PRId64 ",\"height\":%" PRId64, image->width, image->height);
        d->unsized += !image->width;
        putc('}', out);
    }
}

static int write_annotations(struct dataset *d, FILE *out, const uint32_t *rank)
{
    struct waiting w;
    bool keep = keeps_numbers(d);
    if (sb_temporary_rewind(d->wait)) return -1;
    fputs("],\n\"annotations\":[", out);
    for (size_t i = 0; i < d->annotations; i++) {
        if (sb_temporary_get(d->wait, &w, sizeof w, &d->text)) return -1;
        fprintf(out, "%s{\"id\":%" PRId64 ",\"image_id\":%" PRIu32 ",\"category_id\":", i ? ",\n" : "\n",
                keep ? w.given : (int64_t)i + 1, w.image + 1);
        if (w.category == UINT32_MAX) {
            fputs("null", out);
        } else {
            fprintf(out, "%" PRIu32, rank[w.category] + 1);
        }
        fwrite(d->text.data, 1, d->text.size, out);
        putc('}', out);
    }
    return 0;
}

static void write_categories(const struct dataset *d, FILE *out, const uint32_t *order)
{
    fputs("],\n\"categories\":[", out);
    for (size_t i = 0; i < d->categories.count; i++) {
        const char *name = d->categories.text[order[i]], *above = d->above[order[i]];
        fprintf(out, "%s{\"id\":%zu,\"name\":", i ? ",\n" : "\n", i + 1);
        sb_json_text(out, name, strlen(name));
        if (above) fputs(",\"supercategory\":", out);
        if (above) sb_json_text(out, above, strlen(above));
        putc('}', out);
    }
    fputs("]}\n", out);
}

static int coco_end(void *run, void *output, FILE *out)
{
    struct dataset *d = output;
    (void)run;
    uint32_t *order = sb_dictionary_order(&d->categories), *rank = sb_calloc(d->categories.count + 1, sizeof *rank);
    for (size_t i = 0; i < d->categories.count; i++) rank[order[i]] = (uint32_t)i;
    write_images(d, out);
    int rc = write_annotations(d, out, rank);
    write_categories(d, out, order);
    if (d->unsized) sb_warn("%zu pictures of which the size is not known have no width and height", d->unsized);
    for (size_t i = 0; i < d->categories.count; i++) free(d->above[i]);
    free(d->above);
    free(order);
    free(rank);
    fclose(d->wait);
    free(d->given);
    free(d->image);
    free(d->image_text.data);
    free(d->text.data);
    sb_dictionary_free(&d->images);
    sb_dictionary_free(&d->categories);
    return rc;
}

static int coco_close(void *run, uint64_t records)
{
    (void)records;
    sb_view_free(&((struct run *)run)->view);
    return 0;
}

const struct sb_exporter sb_export_coco = {.name = "coco",
                                           .suffix = ".json",
                                           .summary = "a data set in COCO's JSON",
                                           .options = "url-prefix,min-prob",
                                           .is_text = true,
                                           .run_size = sizeof(struct run),
                                           .output_size = sizeof(struct dataset),
                                           .open = coco_open,
                                           .begin = coco_begin,
                                           .write = coco_write,
                                           .end = coco_end,
                                           .close = coco_close};
