#include "footage/picks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/relay.h"

struct pick {
    struct sb_record rec;
    const struct sb_input *input;
    bool timed;
    double pts;
    struct sb_frame_memory memory;
    struct sb_video_frame frame;
    char why[1024];
};

struct output {
    struct sb_yield yield;
    struct sb_record rec;
    char why[1024];
};

struct run {
    const struct sb_harvest *h;
    struct sb_reader *picks;
};

static const struct sb_input *find_input(const struct sb_inputs *in, const char *source)
{
    for (size_t i = 0; i < in->count; i++)
        if (strcmp(in->item[i].source, source) == 0) return &in->item[i];
    return NULL;
}

static void read_pick(struct run *r, struct pick *p)
{
    const char *source;
    p->input = NULL;
    p->timed = false;
    int rc = sb_get_cstr(&p->rec, "source", &source);
    int timed = rc > 0 ? sb_get_real(&p->rec, "pts", &p->pts) : 0;
    if (timed < 0) rc = -1;
    if (rc <= 0) {
        snprintf(p->why, sizeof p->why, "%s: record %llu: %s", sb_reader_name(r->picks),
                 (unsigned long long)sb_reader_count(r->picks), rc < 0 ? sb_error_message() : "it has no source");
        return;
    }
    p->timed = timed;
    p->input = find_input(r->h->inputs, source);
    snprintf(p->why, sizeof p->why, "%s: not among the inputs", source);
}

static bool produce(void *arg, void *item)
{
    struct run *r = arg;
    struct pick *p = item;
    sb_record_reset(&p->rec);
    int rc = *r->h->stop ? 0 : sb_reader_next(r->picks, &p->rec);
    if (rc < 0) sb_die_error();
    if (rc == 0) return false;
    sb_reader_keep(r->picks, &p->rec);
    read_pick(r, p);
    return true;
}

/* The frame on screen at p->pts. */
static int fetch_frame(const struct run *r, struct pick *p)
{
    struct sb_sample sample;
    struct sb_sampling how = {.device = r->h->how.device, .fps = p->pts > 0 ? 1 / p->pts : 1,
                              .start = p->pts * (1 - 1e-12), .end = p->pts + 1e-4};
    struct sb_sampler *s = sb_sampler_open(p->input->path, &how, 1, r->h->stop);
    if (!s) return -1;
    int rc = sb_sampler_next(s, &sample, &p->frame);
    if (rc > 0) rc = sb_video_frame_decode(&p->frame);
    sb_sampler_close(s);
    return rc > 0 ? 0 : rc < 0 ? -1 : sb_error("%s: nothing is shown at %g s", p->input->path, p->pts);
}

static int fetch(const struct run *r, struct pick *p)
{
    const struct sb_frame_style *style = &r->h->style;
    if (!p->timed && p->input->picture) return sb_picture_image(style, p->input, &p->memory, &p->rec);
    if (!p->timed) p->pts = 0;
    if (fetch_frame(r, p) < 0) return -1;
    return sb_frame_image(style, p->input, &p->frame, &p->memory, &p->rec);
}

static void work(void *arg, void *item, struct sb_relay_item *to)
{
    const struct run *r = arg;
    struct pick *p = item;
    struct output *out = sb_relay_output(to);
    int kind = SB_YIELD_RECORD;
    if (!p->input)
        kind = SB_YIELD_UNREADABLE;
    else if (fetch(r, p) < 0) {
        kind = SB_YIELD_UNREADABLE;
        snprintf(p->why, sizeof p->why, "%s", sb_error_message());
    }
    memcpy(out->why, p->why, sizeof out->why);
    struct sb_record filled = p->rec;
    p->rec = out->rec;
    out->rec = filled;
    out->yield = (struct sb_yield){.kind = kind, .input = p->input, .rec = &out->rec, .why = out->why};
}

static void consume(void *arg, void *output)
{
    const struct sb_harvest *h = ((struct run *)arg)->h;
    h->take(h->arg, &((struct output *)output)->yield);
}

static void release_pick(void *arg, void *item)
{
    struct pick *p = item;
    (void)arg;
    sb_record_free(&p->rec);
    sb_frame_memory_free(&p->memory);
    sb_video_frame_free(&p->frame);
}

static void release_output(void *arg, void *output)
{
    (void)arg;
    sb_record_free(&((struct output *)output)->rec);
}

void sb_picks_run(const struct sb_harvest *h, struct sb_reader *picks)
{
    struct run r = {h, picks};
    struct sb_relay relay = {
        .jobs = h->jobs,
        .item_size = sizeof(struct pick),
        .output_size = sizeof(struct output),
        .produce = produce,
        .work = work,
        .consume = consume,
        .release_item = release_pick,
        .release_output = release_output,
        .arg = &r,
    };
    sb_relay_run(&relay);
}
