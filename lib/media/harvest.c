/* From inputs through items to records. See harvest.h. */
#include "media/harvest.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/relay.h"
#include "media/scene.h"

struct pick {
    struct sb_sample sample;
    struct sb_video_frame frame; /* lazy */
};

/* A share of the work: a frame, frames that are decoded together, or a picture; or something to say about an input. */
struct item {
    enum { FRAME, FRAMES, PICTURE, UNREADABLE, END } kind;
    const struct sb_input *input;
    double done;  /* inputs, at its beginning */
    double share; /* what a second of this video is of that, 0: not known */
    bool timed;
    struct sb_sample sample;
    struct sb_video_frame frame; /* FRAME: decoded */
    struct pick *pick;
    size_t picks, cap;
    struct sb_sampler *over; /* END: of this video */
    char why[1024];
};

/* What comes of it. */
struct output {
    int kind; /* as sb_yield's, or CLOSE */
    const struct sb_input *input;
    double done;
    struct sb_record rec;
    bool timed;
    struct sb_sample sample; /* of the record, if it has a time */
    struct sb_scene scene;
    struct sb_sampler *over;
    char why[1024];
};
enum { CLOSE = SB_YIELD_REMARK + 1 };

/* What pictures are made with: tens of megabytes, so there is one for each thread that works, not for each item. */
struct workspace {
    struct workspace *next;
    struct sb_video_frame frame;
    struct sb_frame_memory memory;
};

struct run {
    const struct sb_harvest *h;
    pthread_mutex_t lock;
    struct workspace *spare; /* nobody's, under the lock */
    size_t at;                  /* the input being read */
    struct sb_sampler *sampler; /* of that input, once it is open and a video */
    struct pick waiting;        /* read, and not of the item that was being filled */
    bool has_waiting;
    struct held { /* with h->scene: a record that stands until the scene changes */
        bool there;
        struct sb_record rec;
        struct sb_scene scene;
        double pts, over;
        struct sb_yield yield;
    } held;
};

/* ---- inputs to items -------------------------------------------------------------------------------------------- */

static bool say(struct item *item, int kind, const char *why)
{
    item->kind = kind;
    snprintf(item->why, sizeof item->why, "%s", why);
    return true;
}

/* A video is closed once all its frames have been decoded. */
static void close_video(struct run *r, struct item *item)
{
    item->kind = END;
    item->over = r->sampler;
    r->sampler = NULL;
    r->at++;
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

static void swap_picks(struct pick *a, struct pick *b)
{
    struct pick t = *a;
    *a = *b;
    *b = t;
}

/* A sample into w; false at the video's end. */
static bool next_sample(struct run *r, struct pick *w)
{
    if (!r->has_waiting && !sb_sampler_next(r->sampler, &w->sample, &w->frame)) return false;
    r->has_waiting = true;
    return true;
}

/* Collects the samples that lie in one segment. */
static void gather(struct run *r, struct item *item)
{
    struct pick *w = &r->waiting;
    item->kind = FRAMES;
    item->picks = 0;
    while (next_sample(r, w) && (item->picks == 0 || w->frame.segment == item->pick[0].frame.segment)) {
        size_t before = item->cap;
        SB_GROW(item->pick, item->cap, item->picks + 1);
        for (; before < item->cap; before++) item->pick[before] = (struct pick){0};
        swap_picks(&item->pick[item->picks++], w);
        r->has_waiting = false;
    }
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
        if (!next_sample(r, &r->waiting)) {
            close_video(r, item);
            return true;
        }
        const struct sb_video *v = sb_sampler_video(r->sampler);
        double whole = fmin(sb_video_duration(v), h->how.end > 0 ? h->how.end : INFINITY);
        item->share = whole > 0 ? 1 / whole : 0;
        item->timed = !sb_video_still(v);
        if (r->waiting.frame.segment) {
            gather(r, item);
        } else {
            item->kind = FRAME;
            item->sample = r->waiting.sample;
            sb_video_frame_copy(&item->frame, &r->waiting.frame);
            r->has_waiting = false;
        }
        return true;
    }
    return false;
}

/* ---- items to outputs ------------------------------------------------------------------------------------------- */

struct job {
    const struct sb_harvest *h;
    struct item *item;
    struct sb_relay_item *to;
    struct workspace *space;
};

static struct workspace *take_workspace(struct run *r)
{
    pthread_mutex_lock(&r->lock);
    struct workspace *w = r->spare;
    if (w) r->spare = w->next;
    pthread_mutex_unlock(&r->lock);
    return w ? w : sb_calloc(1, sizeof *w);
}

static void give_workspace(struct run *r, struct workspace *w)
{
    sb_video_frame_empty(&w->frame);
    pthread_mutex_lock(&r->lock);
    w->next = r->spare;
    r->spare = w;
    pthread_mutex_unlock(&r->lock);
}

static struct output *begin_output(const struct job *j, int kind)
{
    struct output *out = sb_relay_output(j->to);
    out->kind = kind;
    out->input = j->item->input;
    out->done = j->item->done;
    out->over = j->item->over;
    out->timed = false;
    return out;
}

static void fail(struct output *out, const char *why)
{
    out->kind = SB_YIELD_UNREADABLE;
    snprintf(out->why, sizeof out->why, "%s", why);
}

static void make_record(const struct job *j, const struct sb_sample *sample)
{
    struct item *i = j->item;
    struct output *out = begin_output(j, SB_YIELD_RECORD);
    out->done += fmin(1, sample->pts * i->share);
    out->timed = i->timed;
    out->sample = *sample;
    if (sb_frame_record(&j->h->style, i->input, i->timed ? sample : NULL, &j->space->frame, &j->space->memory, &out->rec) < 0)
        fail(out, sb_error_message());
    else if (j->h->scene > 0)
        sb_scene_measure(&out->scene, &j->space->memory.picture);
}

static void take_frame(void *arg, size_t index, struct AVFrame *frame)
{
    const struct job *j = arg;
    struct item *i = j->item;
    sb_video_frame_set(&j->space->frame, frame, i->pick[index].frame.orientation);
    make_record(j, &i->pick[index].sample);
}

static void decode_frames(const struct job *j)
{
    struct item *i = j->item;
    struct sb_video_frame *frame = sb_calloc(i->picks, sizeof *frame);
    for (size_t k = 0; k < i->picks; k++) frame[k] = i->pick[k].frame; /* borrowed */
    if (sb_video_decode(frame, i->picks, take_frame, (void *)j) < 0) fail(begin_output(j, 0), sb_error_message());
    free(frame);
    for (size_t k = 0; k < i->picks; k++) sb_video_frame_empty(&i->pick[k].frame);
}

static void make_records(const struct job *j)
{
    struct item *i = j->item;
    if (i->kind == FRAME) {
        sb_video_frame_set(&j->space->frame, i->frame.frame, i->frame.orientation);
        sb_video_frame_empty(&i->frame);
        make_record(j, &i->sample);
    } else if (i->kind == FRAMES) {
        decode_frames(j);
    } else {
        struct output *out = begin_output(j, SB_YIELD_RECORD);
        if (sb_picture_record(&j->h->style, i->input, &j->space->memory, &out->rec) < 0) fail(out, sb_error_message());
    }
}

static void work(void *arg, void *p, struct sb_relay_item *to)
{
    struct run *r = arg;
    struct item *i = p;
    struct job j = {r->h, i, to, NULL};
    if (i->kind == UNREADABLE) {
        fail(begin_output(&j, 0), i->why);
    } else if (i->kind == END) {
        begin_output(&j, CLOSE);
    } else {
        j.space = take_workspace(r);
        make_records(&j);
        give_workspace(r, j.space);
    }
}

static void let_go(struct run *r)
{
    struct held *held = &r->held;
    if (!held->there) return;
    held->there = false;
    sb_set_real(&held->rec, "duration", held->over - held->pts);
    held->yield.rec = &held->rec;
    r->h->take(r->h->arg, &held->yield);
}

/* A frame that shows what the one held does makes that one stand longer; another takes its place. */
static void hold(struct run *r, const struct output *out, const struct sb_yield *yield)
{
    struct held *held = &r->held;
    double over = out->sample.pts + out->sample.duration;
    bool same = held->there && held->yield.input == out->input;
    if (same && sb_scene_difference(&held->scene, &out->scene) <= r->h->scene) {
        held->over = over;
        return;
    }
    if (same) held->over = out->sample.pts;
    let_go(r);
    sb_record_copy(&held->rec, &out->rec);
    held->there = true;
    held->scene = out->scene;
    held->pts = out->sample.pts;
    held->over = over;
    held->yield = *yield;
}

static void consume(void *arg, void *p)
{
    struct run *r = arg;
    struct output *out = p;
    struct sb_yield yield = {out->kind, out->input, out->done, &out->rec, out->why};
    if (out->kind == SB_YIELD_RECORD && out->timed && r->h->scene > 0) {
        hold(r, out, &yield);
        return;
    }
    let_go(r);
    if (out->kind == CLOSE) {
        char flaws[128];
        bool any = sb_video_flaws(sb_sampler_video(out->over), flaws, sizeof flaws);
        sb_sampler_close(out->over);
        if (!any) return;
        snprintf(out->why, sizeof out->why, "%s: %s", out->input->path, flaws);
        yield.kind = SB_YIELD_REMARK;
    }
    r->h->take(r->h->arg, &yield);
}

static void release_item(void *arg, void *p)
{
    struct item *item = p;
    (void)arg;
    sb_video_frame_free(&item->frame);
    for (size_t i = 0; i < item->cap; i++) sb_video_frame_free(&item->pick[i].frame);
    free(item->pick);
}

static void free_workspaces(struct run *r)
{
    for (struct workspace *w = r->spare, *next; w; w = next) {
        next = w->next;
        sb_video_frame_free(&w->frame);
        sb_frame_memory_free(&w->memory);
        free(w);
    }
}

static void release_output(void *arg, void *p)
{
    (void)arg;
    sb_record_free(&((struct output *)p)->rec);
}

void sb_harvest_run(const struct sb_harvest *h)
{
    struct run r = {.h = h, .lock = PTHREAD_MUTEX_INITIALIZER};
    struct sb_relay relay = {
        .jobs = h->jobs,
        .item_size = sizeof(struct item),
        .output_size = sizeof(struct output),
        .produce = produce,
        .work = work,
        .consume = consume,
        .release_item = release_item,
        .release_output = release_output,
        .arg = &r,
    };
    sb_relay_run(&relay);
    let_go(&r);
    sb_record_free(&r.held.rec);
    sb_video_frame_free(&r.waiting.frame);
    free_workspaces(&r);
}
