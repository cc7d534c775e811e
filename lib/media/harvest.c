/* From inputs through items to records. See harvest.h. */
#include "media/harvest.h"

#include <math.h>
#include <stdio.h>

#include "base/pipeline.h"

struct run {
    const struct sb_harvest *h;
    size_t at;                  /* the input being read */
    struct sb_sampler *sampler; /* of that input, once it is open and a video */
};

/* One record on its way, or one line to say about an input. */
struct item {
    enum { FRAME, PICTURE, UNREADABLE, REMARK } kind;
    const struct sb_input *input;
    double done; /* inputs */
    bool timed;
    struct sb_sample sample;
    struct sb_video_frame frame;
    struct sb_frame_memory memory;
    struct sb_record rec;
    char why[1024];
};

static bool say(struct item *item, int kind, const char *why)
{
    item->kind = kind;
    snprintf(item->why, sizeof item->why, "%s", why);
    return true;
}

/* A video that was read to its end may have something to tell; false if not. */
static bool close_video(struct run *r, struct item *item)
{
    char flaws[128];
    bool any = sb_video_flaws(sb_sampler_video(r->sampler), flaws, sizeof flaws);
    item->kind = REMARK;
    snprintf(item->why, sizeof item->why, "%s: %s", item->input->path, flaws);
    sb_sampler_close(r->sampler);
    r->sampler = NULL;
    r->at++;
    return any;
}

/* Opens what comes next: a picture is an item of its own, a failure too; a video gives none yet. */
static bool open_next(struct run *r, struct item *item)
{
    const struct sb_harvest *h = r->h;
    if (item->input->picture) {
        r->at++;
        item->kind = PICTURE;
        return true;
    }
    r->sampler = sb_sampler_open(item->input->path, &h->how, h->jobs, h->stop);
    if (r->sampler) return false;
    r->at++;
    return !*h->stop && say(item, UNREADABLE, sb_error_message());
}

static bool produce(void *arg, void *p)
{
    struct run *r = arg;
    const struct sb_harvest *h = r->h;
    struct item *item = p;
    while (!*h->stop || r->sampler) {
        if (r->at == h->inputs->count) return false;
        item->input = &h->inputs->item[r->at];
        item->done = (double)r->at;
        if (!r->sampler) {
            if (open_next(r, item)) return true;
            continue;
        }
        const struct sb_video *v = sb_sampler_video(r->sampler);
        if (sb_sampler_next(r->sampler, &item->sample, &item->frame)) {
            double whole = fmin(sb_video_duration(v), h->how.end > 0 ? h->how.end : INFINITY);
            if (whole > 0) item->done += fmin(1, item->sample.pts / whole);
            item->kind = FRAME;
            item->timed = !sb_video_still(v);
            return true;
        }
        if (close_video(r, item)) return true;
    }
    return false;
}

static void work(void *arg, void *p)
{
    const struct sb_frame_style *style = &((struct run *)arg)->h->style;
    struct item *i = p;
    int rc = 0;
    if (i->kind == FRAME)
        rc = sb_frame_record(style, i->input, i->timed ? &i->sample : NULL, &i->frame, &i->memory, &i->rec);
    else if (i->kind == PICTURE)
        rc = sb_picture_record(style, i->input, &i->memory, &i->rec);
    if (rc < 0) say(i, UNREADABLE, sb_error_message());
}

static void consume(void *arg, void *p)
{
    const struct sb_harvest *h = ((struct run *)arg)->h;
    struct item *i = p;
    struct sb_yield yield = {SB_YIELD_RECORD, i->input, i->done, &i->rec, i->why};
    if (i->kind == UNREADABLE) yield.kind = SB_YIELD_UNREADABLE;
    if (i->kind == REMARK) yield.kind = SB_YIELD_REMARK;
    h->take(h->arg, &yield);
}

static void release(void *arg, void *p)
{
    struct item *item = p;
    (void)arg;
    sb_video_frame_free(&item->frame);
    sb_frame_memory_free(&item->memory);
    sb_record_free(&item->rec);
}

void sb_harvest_run(const struct sb_harvest *h)
{
    struct run r = {.h = h};
    struct sb_pipeline pipeline = {
        .jobs = h->jobs,
        .item_size = sizeof(struct item),
        .produce = produce,
        .work = work,
        .consume = consume,
        .release = release,
        .arg = &r,
    };
    sb_pipeline_run(&pipeline);
    sb_sampler_close(r.sampler);
}
