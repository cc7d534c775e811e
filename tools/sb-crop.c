/* sb-crop: a record a box, or a tile, out of records with whole pictures. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "annotation/cut.h"
#include "base/relay.h"
#include "media/decoding.h"
#include "media/shared_picture.h"
#include "stream/stream.h"

static struct sb_cut_style style;
static struct sb_decoding_options decoding_options;
static struct sb_decoding decoding;
static const char *output, *drop, *margin, *tiles, *encode = "png";
static int64_t jobs, points;

static const struct sb_opt options[] = {
    {0, "margin", "M", SB_TEXT, &margin, 0,
     "cut out so much more on each side: a part of the box's width and height, as 0.1, or pixels, as 20px", 0, 0},
    {0, "square", NULL, SB_FLAG, &style.square, 0, "make the shorter side as long as the longer one", 0, 0},
    {0, "points", "PIXELS", SB_INT, &points, 0, "cut out points, too, as squares of that side", 1, 100000},
    {0, "scale", NULL, SB_FLAG, &style.scale, 0,
     "boxes that were drawn in another size of the picture are followed into this one", 0, 0},
    {0, "tiles", "CxR", SB_TEXT, &tiles, 0, "cut pictures into C columns and R rows instead, as 3x2", 0, 0},
    {0, "overlap", "PART", SB_REAL, &style.overlap, 0, "of a tile's width and height, what it shares with the next (default 0)",
     0, 0.9},
    {0, "encode", "raw|png|jpeg", SB_TEXT, &encode, 0, "how pictures are kept (default png)", 0, 0},
    SB_OPT_DECODING(decoding_options),
    SB_OPT_DROP(&drop),
    SB_OPT_OUTPUT(&output),
    SB_OPT_JOBS(&jobs),
    SB_OPT_QUIET,
    SB_OPT_END,
};

static const struct sb_tool tool = {
    "sb-crop", "[FILE]", "Cuts boxes, or tiles, out of records' pictures: a record each.", options, true,
};

struct crop {
    struct sb_filter filter;
    struct sb_shared_picture *last;
};

struct item {
    struct sb_record rec; /* without its image */
    struct sb_shared_picture *picture;
    uint64_t number;
    struct sb_cuts cuts;
};

/* A crop, or why there is none. */
struct crop_output {
    struct sb_record rec;
    const struct item *from;
    struct sb_cut_memory memory;
    const char *skipped; /* NULL: it is a crop */
    char why[1024];      /* not empty: it failed */
};

static bool take(void *arg, void *p)
{
    struct crop *c = arg;
    struct item *item = p;
    if (!sb_filter_next(&c->filter, &item->rec)) return false;
    item->picture = sb_shared_picture_of(&c->last, &item->rec, "image");
    item->number = c->filter.at;
    sb_filter_keep(&c->filter, &item->rec);
    return true;
}

static struct crop_output *next_output(struct item *item, struct sb_relay_item *to)
{
    struct crop_output *o = sb_relay_output(to);
    o->from = item;
    o->skipped = NULL;
    o->why[0] = 0;
    return o;
}

static void skip(struct item *item, struct sb_relay_item *to, const char *why) { next_output(item, to)->skipped = why; }

/* 1 with the picture, 0 if it is skipped, -1 with a message. */
static int list(struct item *item, struct sb_relay_item *to, const struct sb_picture **p)
{
    bool part = sb_record_find(&item->rec, "box") || sb_record_find(&item->rec, "region");
    if (tiles && part) {
        skip(item, to, "a part of a picture");
        return 0;
    }
    if (!tiles && sb_cuts_list(&item->cuts, &style, &item->rec) < 0) return -1;
    if (!tiles && !item->cuts.count) {
        skip(item, to, item->cuts.points ? "a point, without --points" : "without a box");
        return 0;
    }
    int found = item->picture ? sb_shared_picture_get(item->picture, &decoding, p) : 0;
    if (found < 1) return found < 0 ? -1 : sb_error("there is no field 'image'");
    return tiles && sb_cuts_tile(&item->cuts, &style, *p) < 0 ? -1 : 1;
}

static void work(void *arg, void *p, struct sb_relay_item *to)
{
    struct item *item = p;
    const struct sb_picture *picture;
    (void)arg;
    int rc = list(item, to, &picture);
    if (rc < 0) snprintf(next_output(item, to)->why, sizeof((struct crop_output *)0)->why, "%s", sb_error_message());
    for (size_t i = 0; rc > 0 && i < item->cuts.count; i++) {
        struct crop_output *o = next_output(item, to);
        rc = sb_cut_record(&item->cuts, i, &style, &item->rec, picture, &o->memory, &o->rec);
        if (rc < 0) snprintf(o->why, sizeof o->why, "%s", sb_error_message());
        if (rc == 0) o->skipped = "box outside of its picture", rc = 1;
    }
    sb_shared_picture_release(item->picture);
}

static void give(void *arg, void *p)
{
    struct crop *c = arg;
    struct crop_output *o = p;
    if (o->why[0]) {
        struct sb_filter here = c->filter; /* reading goes on meanwhile */
        here.at = o->from->number;
        sb_filter_die(&here, &o->from->rec, "%s", o->why);
    }
    if (o->skipped)
        sb_counts_skip(&c->filter.counts, o->skipped);
    else
        sb_filter_put(&c->filter, &o->rec);
}

static void flush(void *arg) { sb_writer_flush(((struct crop *)arg)->filter.out); }

static void release_item(void *arg, void *p)
{
    struct item *item = p;
    (void)arg;
    sb_record_free(&item->rec);
    sb_cuts_free(&item->cuts);
}

static void release_output(void *arg, void *p)
{
    struct crop_output *o = p;
    (void)arg;
    sb_record_free(&o->rec);
    sb_cut_memory_free(&o->memory);
}

static void read_options(void)
{
    int end = 0;
    if (margin && sb_margin_parse(margin, &style.margin) < 0) sb_usage("--margin: %s", sb_error_message());
    if (sb_image_encoding_parse(encode, &style.encoding) < 0) sb_usage("--encode: %s", sb_error_message());
    style.points = (double)points;
    sb_decoding_options_apply(&decoding_options, &decoding);
    if (style.overlap > 0 && !tiles) sb_usage("--overlap is of --tiles");
    if (!tiles) return;
    if (margin || style.square || points || style.scale) sb_usage("--tiles cuts whole pictures: it goes with --overlap alone");
    if (sscanf(tiles, "%4dx%4d%n", &style.columns, &style.rows, &end) != 2 || tiles[end] || style.columns < 1 ||
        style.rows < 1 || style.columns > 1000 || style.rows > 1000)
        sb_usage("--tiles: '%s' is not columns and rows, as 3x2", tiles);
}

int main(int argc, char **argv)
{
    struct sb_args args;
    struct crop c = {0};
    sb_opt_parse(&tool, argc, argv, &args);
    read_options();
    if (!jobs) jobs = sb_cores();
    sb_filter_open(&c.filter, &args, output, drop);
    sb_filter_start(&c.filter, &tool, &args);
    struct sb_relay relay = {.jobs = (int)jobs, .item_size = sizeof(struct item), .output_size = sizeof(struct crop_output),
                             .produce = take, .work = work, .consume = give, .idle = flush,
                             .release_item = release_item, .release_output = release_output, .arg = &c};
    sb_relay_run(&relay);
    sb_shared_picture_release(c.last);
    sb_filter_close(&c.filter);
    return 0;
}
