/* VIAME's CSV (VIAME's manual, "Detection File Formats"; viame_read.c says what each cell is). How many frames a second
 * has stands at its top, and a number that no track has is known at its end: rows wait in a temporary file. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "annotation/viame_row.h"
#include "base/dictionary.h"
#include "base/temporary.h"
#include "formats/csv.h"
#include "formats/exporter.h"
#include "formats/text.h"

/* A row as it waits, with its text from the fourth cell on. */
struct row {
    int64_t track, frame; /* -1: not known */
    double pts;           /* NAN: it is of a picture */
    uint32_t picture;     /* its source's number */
    uint32_t named;       /* a track's that is no number: its number + 1 */
};

/* How many frames a second has, as far as records tell. */
struct rate {
    double said;        /* `fps`; 0: nobody said it */
    double last, frame; /* the latest pts with a frame after the first, and that frame */
    double duration;    /* of all records; 0: none has one, or they differ */
    bool differs, timed, steady;
};

struct table {
    FILE *wait;
    size_t rows;
    struct sb_dictionary sources, tracks;
    struct rate rate;
    int64_t last_track;
    struct sb_buffer text;
};

struct run {
    struct sb_view view;
    struct sb_counts *counts;
    double fps;
};

static int viame_open(void *run, const struct sb_export_options *o, const struct sb_record *header)
{
    struct run *r = run;
    (void)header;
    r->view.least = o->least;
    r->counts = o->counts;
    r->fps = o->fps;
    return 0;
}

static int viame_begin(void *run, void *output, FILE *out, const char *path)
{
    struct table *t = output;
    (void)run;
    (void)out;
    (void)path;
    t->last_track = -1;
    t->rate.steady = true;
    t->wait = sb_temporary_stdio();
    return t->wait ? 0 : -1;
}

/* ---- records come in ---- */

static int learn_rate(struct rate *rate, const struct sb_view *v, int64_t frame)
{
    double fps = 0, duration = 0;
    if (sb_get_real(v->rec, "fps", &fps) < 0 || sb_get_real(v->rec, "duration", &duration) < 0) return -1;
    if (fps > 0) {
        rate->differs = rate->differs || (rate->said > 0 && rate->said != fps);
        rate->said = fps;
    }
    if (frame > 0 && v->pts > rate->last) {
        rate->last = v->pts;
        rate->frame = (double)frame;
    }
    rate->steady = rate->steady && duration > 0 && (!rate->timed || fabs(duration - rate->duration) < 1e-6);
    rate->duration = duration;
    rate->timed = true;
    return 0;
}

/* A whole number that VIAME takes as it is; else -1. */
static int64_t number_of(struct sb_span text)
{
    int64_t n = 0;
    if (!text.size || text.size > 9 || (text.text[0] == '0' && text.size > 1)) return -1;
    for (size_t i = 0; i < text.size; i++) {
        if (text.text[i] < '0' || text.text[i] > '9') return -1;
        n = n * 10 + (text.text[i] - '0');
    }
    return n;
}

static int add_row(struct table *t, const struct sb_view *v, const struct sb_viewed *one)
{
    struct row row = {.track = v->count == 1 ? number_of(v->track) : -1, .frame = -1, .pts = v->pts};
    if (sb_get_int(v->rec, "frame", &row.frame) < 0) return -1;
    if (!isnan(v->pts) && learn_rate(&t->rate, v, row.frame)) return -1;
    row.picture = sb_dictionary_add(&t->sources, v->source.text, v->source.size);
    if (v->count == 1 && v->track.size && row.track < 0)
        row.named = 1 + sb_dictionary_add(&t->tracks, v->track.text, v->track.size);
    if (row.track > t->last_track) t->last_track = row.track;
    t->text.size = 0;
    FILE *text = sb_buffer_stdio(&t->text);
    int rc = sb_viame_row(text, v->rec, one);
    fclose(text);
    t->rows++;
    return rc ? rc : sb_temporary_put(t->wait, &row, sizeof row, &t->text);
}

static int viame_write(void *run, void *output, FILE *out, struct sb_record *rec)
{
    struct run *r = run;
    bool shown = false;
    (void)out;
    if (sb_view_read(&r->view, rec)) return -1;
    if (!r->view.source.size) return sb_error("no field 'source'");
    sb_view_count(&r->view, r->counts);
    if (r->view.count == 0 && !r->view.unlikely && !r->view.unboxed) sb_counts_skip(r->counts, "without an annotation");
    for (size_t i = 0; i < r->view.count; i++) {
        const struct sb_viewed *one = &r->view.item[i];
        if (one->boxed && add_row(output, &r->view, one)) return -1;
        if (!one->boxed) sb_counts_skip(r->counts, "annotation without a box");
        shown = shown || one->boxed;
    }
    return shown;
}

/* ---- the file ---- */

/* 0: there is no video; -1 with a message. */
static double frames_a_second(const struct run *r, const struct rate *rate)
{
    if (!rate->timed) return 0;
    if (r->fps > 0) return r->fps;
    if (rate->differs) return sb_error("its videos have different rates: --fps says which, or -o FOLDER/ parts them");
    if (rate->said > 0) return rate->said;
    if (rate->frame > 0) return rate->frame / rate->last;
    if (rate->steady) return 1 / rate->duration;
    return sb_error("how many frames a second has is not known: --fps says it");
}

static void put_top(FILE *out, double fps)
{
    char text[SB_NUMBER];
    fputs("# 1: Detection or Track-id,  2: Video or Image Identifier,  3: Unique Frame Identifier,  "
          "4-7: Img-bbox(TL_x,TL_y,BR_x,BR_y),  8: Detection or Length Confidence,  "
          "9: Target Length (0 or -1 if invalid),  10-11+: Repeated Species, Confidence Pairs or Attributes\n",
          out);
    if (fps > 0) fprintf(out, "# metadata,fps: %s\n", sb_text_real(fps, text));
}

static int put_rows(struct table *t, FILE *out, double fps, size_t *between)
{
    struct row row;
    int64_t next = t->last_track + 1 + (int64_t)t->tracks.count;
    if (sb_temporary_rewind(t->wait)) return -1;
    for (size_t i = 0; i < t->rows; i++) {
        if (sb_temporary_get(t->wait, &row, sizeof row, &t->text)) return -1;
        int64_t track = row.named ? t->last_track + row.named : row.track >= 0 ? row.track : next++;
        int64_t frame = row.frame >= 0 ? row.frame : (int64_t)row.picture;
        if (!isnan(row.pts)) {
            frame = llround(row.pts * fps);
            *between += fabs(row.pts * fps - (double)frame) > 0.01;
        }
        fprintf(out, "%" PRId64 ",", track);
        sb_csv_text(out, t->sources.text[row.picture], strlen(t->sources.text[row.picture]));
        fprintf(out, ",%" PRId64, frame);
        fwrite(t->text.data, 1, t->text.size, out);
    }
    return 0;
}

static int viame_end(void *run, void *output, FILE *out)
{
    struct table *t = output;
    size_t between = 0;
    double fps = frames_a_second(run, &t->rate);
    if (fps < 0) return -1;
    put_top(out, fps);
    int rc = put_rows(t, out, fps, &between);
    if (between) sb_warn("%zu annotations lie between two frames at %g a second: the nearest is named", between, fps);
    fclose(t->wait);
    free(t->text.data);
    sb_dictionary_free(&t->sources);
    sb_dictionary_free(&t->tracks);
    return rc;
}

static int viame_close(void *run, uint64_t records)
{
    (void)records;
    sb_view_free(&((struct run *)run)->view);
    return 0;
}

const struct sb_exporter sb_export_viame = {.name = "viame",
                                            .suffix = ".csv",
                                            .summary = "VIAME's CSV",
                                            .options = "fps,min-prob",
                                            .is_text = true,
                                            .run_size = sizeof(struct run),
                                            .output_size = sizeof(struct table),
                                            .open = viame_open,
                                            .begin = viame_begin,
                                            .write = viame_write,
                                            .end = viame_end,
                                            .close = viame_close};
