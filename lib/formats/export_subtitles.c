/* sb-export's subtitles: WebVTT and SubRip. */
#include "formats/cues.h"
#include "formats/exporter.h"

struct subtitles_run {
    const char *column;
    struct sb_cell cell;
};

static int subtitles_open(void *run, const struct sb_export_options *o, const struct sb_record *header)
{
    (void)header;
    ((struct subtitles_run *)run)->column = o->text;
    return 0;
}

static int vtt_begin(void *run, void *output, FILE *out, const char *path)
{
    (void)path;
    (void)run;
    sb_cues_begin(output, out, SB_CUES_VTT);
    return 0;
}

static int srt_begin(void *run, void *output, FILE *out, const char *path)
{
    (void)path;
    (void)run;
    sb_cues_begin(output, out, SB_CUES_SRT);
    return 0;
}

static int subtitles_write(void *run, void *output, FILE *out, struct sb_record *rec)
{
    struct subtitles_run *r = run;
    (void)out;
    return sb_cues_record(output, rec, r->column, &r->cell);
}

static int subtitles_end(void *run, void *output, FILE *out)
{
    (void)run;
    (void)out;
    sb_cues_end(output);
    sb_cues_free(output);
    return 0;
}

static int subtitles_close(void *run, uint64_t records)
{
    (void)records;
    sb_cell_free(&((struct subtitles_run *)run)->cell);
    return 0;
}

#define SUBTITLES                                                                                                      \
    .options = "text", .left_out = "without text", .is_text = true, .by_source = true,                                 \
    .run_size = sizeof(struct subtitles_run), .output_size = sizeof(struct sb_cues), .open = subtitles_open,           \
    .write = subtitles_write, .end = subtitles_end, .close = subtitles_close

const struct sb_exporter sb_export_vtt = {SUBTITLES, .name = "vtt", .suffix = ".vtt", .summary = "WebVTT subtitles",
                                          .begin = vtt_begin};
const struct sb_exporter sb_export_srt = {SUBTITLES, .name = "srt", .suffix = ".srt", .summary = "SubRip subtitles",
                                          .begin = srt_begin};
