/* BIIGLE's CSV reports (BIIGLE's manual, "Reports schema"): of image annotations, of video annotations, or of labels of
 * whole images; which one, the first annotation tells.
 *
 * An annotation of a video is one row, with all its key frames: those that have an annotation_id or a track wait in
 * memory, in the order in which they were first seen; the others are a row each, and go out at once. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "annotation/biigle_cells.h"
#include "base/buffer.h"
#include "base/dictionary.h"
#include "formats/csv.h"
#include "formats/exporter.h"
#include "formats/text.h"

enum kind { UNKNOWN, IMAGES, LABELS, VIDEOS };

static const char *const titles[] = {
    [IMAGES] = "annotation_label_id,label_id,label_name,label_hierarchy,user_id,firstname,lastname,image_id,filename,"
               "image_longitude,image_latitude,shape_id,shape_name,points,attributes,annotation_id,created_at\n",
    [LABELS] = "image_label_id,label_id,label_name,label_hierarchy,user_id,firstname,lastname,image_id,filename,"
               "longitude,latitude,attributes,created_at\n",
    [VIDEOS] = "video_annotation_label_id,label_id,label_name,label_hierarchy,user_id,firstname,lastname,video_id,"
               "video_filename,shape_id,shape_name,points,frames,annotation_id,created_at,attributes\n",
};

struct frame {
    double pts, end; /* end: a whole frame's; NAN: none */
    int64_t segment;
    size_t at, size; /* its points, in table.points */
};

/* A row that waits. */
struct row {
    char *before, *after; /* the cells around points and frames */
    int shape;
    struct frame *frame;
    size_t frames, cap;
};

struct table {
    enum kind kind;
    struct sb_dictionary keys;
    struct row *row; /* [keys.count] */
    size_t cap;
    struct sb_buffer points;
};

struct run {
    struct sb_view view;
    struct sb_counts *counts;
};

static int biigle_open(void *run, const struct sb_export_options *o, const struct sb_record *header)
{
    struct run *r = run;
    (void)header;
    r->view.least = o->least;
    r->counts = o->counts;
    return 0;
}

/* ---- pictures ---- */

static int put_image(const struct sb_view *v, const struct sb_viewed *one, FILE *out, enum kind kind, int shape)
{
    char text[SB_NUMBER];
    bool labels = kind == LABELS, placed = !isnan(v->lat) && !isnan(v->lon);
    if (sb_biigle_label(out, v, one, labels ? "image_label_id" : "annotation_label_id", "image_id")) return -1;
    fprintf(out, ",%s", placed ? sb_text_f64(v->lon, text) : "");
    fprintf(out, ",%s", placed ? sb_text_f64(v->lat, text) : "");
    if (!labels) {
        struct sb_buffer points = {0};
        FILE *f = sb_buffer_stdio(&points);
        sb_biigle_points(f, shape, one);
        fclose(f);
        sb_biigle_shape_cells(out, shape);
        putc(',', out);
        sb_csv_text(out, (char *)points.data, points.size);
        free(points.data);
    }
    if (sb_biigle_attributes(out, v)) return -1;
    if (!labels) sb_biigle_id(out, v);
    if (sb_biigle_created(out, v)) return -1;
    putc('\n', out);
    return 0;
}

/* ---- videos ---- */

static int by_pts(const void *a, const void *b)
{
    const struct frame *x = a, *y = b;
    if (x->pts != y->pts) return x->pts < y->pts ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

/* "[1.5,2,null,7]" and the points of each, or of whole frames the ends of each segment. */
static void put_frames(const struct table *t, const struct row *row, FILE *out)
{
    char text[SB_NUMBER];
    struct sb_buffer points = {0}, frames = {0};
    FILE *p = sb_buffer_stdio(&points), *f = sb_buffer_stdio(&frames);
    if (row->frames) qsort(row->frame, row->frames, sizeof *row->frame, by_pts);
    for (size_t i = 0; i < row->frames; i++) {
        const struct frame *one = &row->frame[i];
        bool whole = row->shape == SB_SHAPE_WHOLE; /* two times without a gap would be one's begin and end */
        bool gap = i && (whole || one->segment != one[-1].segment);
        fprintf(f, "%s%s%s", i ? "," : "", gap ? "null," : "", sb_text_f64(one->pts, text));
        if (!isnan(one->end)) fprintf(f, ",%s", sb_text_f64(one->end, text));
        if (!whole) fprintf(p, "%s%s", i ? "," : "", gap ? "[]," : "");
        if (!whole) fwrite(t->points.data + one->at, 1, one->size, p);
    }
    fclose(p);
    fclose(f);
    sb_biigle_shape_cells(out, row->shape);
    fputs(",\"[", out); /* nothing in it wants quotes but the commas */
    if (points.size) fwrite(points.data, 1, points.size, out);
    fputs("]\",\"[", out);
    fwrite(frames.data, 1, frames.size, out);
    fputs("]\"", out);
    free(points.data);
    free(frames.data);
}

static void put_row(const struct table *t, const struct row *row, FILE *out)
{
    fputs(row->before, out);
    put_frames(t, row, out);
    fputs(row->after, out);
}

static void free_row(struct row *row)
{
    free(row->before);
    free(row->after);
    free(row->frame);
}

static char *finish(FILE *f, struct sb_buffer *b)
{
    putc(0, f);
    fclose(f);
    return (char *)b->data;
}

static int begin_row(struct row *row, const struct sb_view *v, const struct sb_viewed *one, int shape)
{
    struct sb_buffer before = {0}, after = {0};
    FILE *f = sb_buffer_stdio(&before);
    int rc = sb_biigle_label(f, v, one, "video_annotation_label_id", "video_id");
    char *first = finish(f, &before);
    f = sb_buffer_stdio(&after);
    sb_biigle_id(f, v);
    if (rc == 0) rc = sb_biigle_created(f, v);
    if (rc == 0) rc = sb_biigle_attributes(f, v);
    putc('\n', f);
    *row = (struct row){.before = first, .after = finish(f, &after), .shape = shape};
    return rc;
}

static int add_frame(struct table *t, struct row *row, const struct sb_view *v, const struct sb_viewed *one)
{
    struct frame frame = {.pts = v->pts, .end = NAN, .at = t->points.size};
    double duration;
    int rc = sb_get_int(v->rec, "segment", &frame.segment);
    if (rc < 0) return -1;
    int lasts = row->shape == SB_SHAPE_WHOLE ? sb_get_real(v->rec, "duration", &duration) : 0;
    if (lasts < 0) return -1;
    if (lasts && isfinite(duration)) frame.end = v->pts + duration;
    FILE *f = sb_buffer_stdio(&t->points);
    sb_biigle_points(f, row->shape, one);
    fclose(f);
    frame.size = t->points.size - frame.at;
    SB_GROW(row->frame, row->cap, row->frames + 1);
    row->frame[row->frames++] = frame;
    return 0;
}

/* What tells an annotation's label from all others; the caller frees it. */
static char *key_of(const struct row *row, const struct sb_view *v, size_t *size)
{
    struct sb_span id = v->annotation_id.size ? v->annotation_id : v->track;
    char *key = sb_format("%s%c%d%c%.*s", row->before, 1, row->shape, 1, (int)id.size, id.text);
    *size = strlen(key);
    return key;
}

static int put_video(struct table *t, const struct sb_view *v, const struct sb_viewed *one, FILE *out, int shape)
{
    struct row row;
    size_t size, before = t->keys.count;
    if (begin_row(&row, v, one, shape)) return -1;
    bool waits = v->annotation_id.size || v->track.size;
    if (!waits) {
        int rc = add_frame(t, &row, v, one);
        put_row(t, &row, out);
        free_row(&row);
        t->points.size = before ? t->points.size : 0;
        return rc;
    }
    char *key = key_of(&row, v, &size);
    uint32_t number = sb_dictionary_add(&t->keys, key, size);
    free(key);
    SB_GROW(t->row, t->cap, t->keys.count);
    if (number == before) {
        t->row[number] = row;
    } else {
        free_row(&row);
    }
    return add_frame(t, &t->row[number], v, one);
}

/* ---- records ---- */

static int put_one(struct run *r, struct table *t, const struct sb_viewed *one, FILE *out)
{
    int shape = sb_biigle_shape(one);
    bool video = !isnan(r->view.pts);
    enum kind kind = video ? VIDEOS : shape == SB_SHAPE_WHOLE ? LABELS : IMAGES;
    const char *why = !one->name.size ? "annotation without a name" : shape < 0 ? "a shape that BIIGLE has not" : NULL;
    if (!why && t->kind == UNKNOWN) {
        fputs(titles[kind], out);
        t->kind = kind;
    }
    if (!why && kind != t->kind) {
        bool mixed = video || t->kind == VIDEOS;
        if (mixed) return sb_error("pictures and moments of a video, which BIIGLE has tables of their own for");
        why = kind == LABELS ? "label of a whole picture among shapes" : "shape among labels of whole pictures";
    }
    if (why) {
        sb_counts_skip(r->counts, why);
        return 0;
    }
    int rc = video ? put_video(t, &r->view, one, out, shape) : put_image(&r->view, one, out, kind, shape);
    return rc ? -1 : 1;
}

static int biigle_write(void *run, void *output, FILE *out, struct sb_record *rec)
{
    struct run *r = run;
    int shown = 0;
    if (sb_view_read(&r->view, rec)) return -1;
    if (!r->view.source.size) return sb_error("no field 'source'");
    sb_view_count(&r->view, r->counts);
    if (r->view.count == 0 && !r->view.unlikely && !r->view.unboxed) sb_counts_skip(r->counts, "without an annotation");
    for (size_t i = 0; i < r->view.count; i++) {
        int rc = put_one(r, output, &r->view.item[i], out);
        if (rc < 0) return -1;
        shown = shown || rc;
    }
    return shown;
}

static int biigle_end(void *run, void *output, FILE *out)
{
    struct table *t = output;
    (void)run;
    if (t->kind == UNKNOWN) fputs(titles[IMAGES], out);
    for (size_t i = 0; i < t->keys.count; i++) {
        put_row(t, &t->row[i], out);
        free_row(&t->row[i]);
    }
    free(t->row);
    free(t->points.data);
    sb_dictionary_free(&t->keys);
    return 0;
}

static int biigle_close(void *run, uint64_t records)
{
    (void)records;
    sb_view_free(&((struct run *)run)->view);
    return 0;
}

const struct sb_exporter sb_export_biigle = {.name = "biigle",
                                             .suffix = ".csv",
                                             .summary = "BIIGLE's CSV report",
                                             .options = "min-prob",
                                             .is_text = true,
                                             .run_size = sizeof(struct run),
                                             .output_size = sizeof(struct table),
                                             .open = biigle_open,
                                             .write = biigle_write,
                                             .end = biigle_end,
                                             .close = biigle_close};
