/* Sizes from samples. See estimate.h. */
#include "footage/estimate.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "media/picture_peek.h"

enum { SAMPLES = 24, SAMPLES_EACH = 5 }; /* pictures encoded in a run, and at most of one video */

static const size_t key_size = 1 + sizeof "image" - 1; /* before the value */

static double image_bytes(const struct sb_record *rec)
{
    const struct sb_field *image = sb_record_find(rec, "image");
    return image ? (double)(key_size + image->size) : 0;
}

/* ---- videos ---- */

struct ticks {
    double step;          /* seconds between frames that are taken */
    int64_t first, count; /* the first one is at first * step */
};

static bool find_ticks(const struct sb_estimator *e, const struct sb_video *v, struct ticks *t)
{
    double end = sb_video_duration(v), rate = sb_video_rate(v);
    if (end <= 0 || (e->how.every && rate <= 0)) return false;
    if (e->how.end > 0) end = fmin(end, e->how.end);
    t->step = e->how.every ? (double)e->how.every / rate : 1 / e->how.fps;
    t->first = (int64_t)ceil(e->how.start / t->step - 1e-9);
    t->count = (int64_t)ceil((end - 1e-6) / t->step) - t->first;
    if (t->count < 0) t->count = 0;
    return true;
}

/* The record of the frame at tick i of n, into e->rec: 1, 0 if there is none, -1 with a message. */
static int sample(struct sb_estimator *e, const struct sb_input *input, const struct ticks *t, int64_t i)
{
    struct sb_sampling one = {.fps = 1 / t->step, .start = (double)(t->first + i) * t->step};
    one.end = one.start + t->step / 2;
    struct sb_sampler *s = sb_sampler_open(input->path, &one, e->jobs, e->stop);
    if (!s) return -1;
    struct sb_sample at;
    struct sb_video_frame frame = {0};
    int rc = sb_sampler_next(s, &at, &frame);
    if (rc) rc = sb_video_frame_decode(&frame);
    bool still = sb_video_still(sb_sampler_video(s));
    if (rc > 0 && sb_frame_record(&e->style, input, still ? NULL : &at, &frame, &e->memory, &e->rec) < 0) rc = -1;
    sb_video_frame_free(&frame);
    sb_sampler_close(s);
    return rc;
}

/* The records of all ticks. They differ in what is known of their time and place. */
static void put_ticks(struct sb_estimator *e, const struct sb_input *input, const struct ticks *t,
                      struct sb_estimate *out)
{
    sb_record_remove(&e->rec, "image");
    for (int64_t i = 0; i < t->count; i++) {
        sb_record_copy(&e->tick, &e->rec);
        sb_set_real(&e->tick, "pts", (double)(t->first + i) * t->step);
        out->bytes += (double)e->put(e->arg, input, &e->tick);
    }
}

static int estimate_frames(struct sb_estimator *e, const struct sb_input *input, const struct ticks *t,
                           struct sb_estimate *out)
{
    int64_t wanted = SAMPLES / (int64_t)e->inputs->count, taken = 0;
    double sum = 0;
    bool raw = e->style.encoding == SB_IMAGE_RAW || e->no_image;
    wanted = raw || wanted < 1 ? 1 : wanted > SAMPLES_EACH ? SAMPLES_EACH : wanted;
    for (int64_t i = wanted - 1; i >= 0; i--) { /* the first frame comes last, and stays */
        int rc = sample(e, input, t, i * t->count / wanted);
        if (rc < 0) return -1;
        sum += rc ? image_bytes(&e->rec) : 0;
        taken += rc;
    }
    if (!taken) return 0; /* the file promised more than it has */
    out->frames = (uint64_t)t->count;
    out->about = !raw || e->how.every || e->how.keys;
    if (!e->no_image) out->bytes = sum / (double)taken * (double)t->count;
    put_ticks(e, input, t, out);
    return 0;
}

static int estimate_still(struct sb_estimator *e, const struct sb_input *input, struct sb_estimate *out)
{
    struct ticks t = {.step = 1, .count = 1};
    if (sample(e, input, &t, 0) < 0) return -1;
    out->frames = 1;
    out->bytes = e->no_image ? 0 : image_bytes(&e->rec);
    sb_record_remove(&e->rec, "image");
    out->bytes += (double)e->put(e->arg, input, &e->rec);
    return 0;
}

static int estimate_video(struct sb_estimator *e, const struct sb_input *input, struct sb_estimate *out)
{
    struct ticks t;
    struct stat st;
    struct sb_sampling any = {.fps = 1};
    if (stat(input->path, &st) == 0 && !S_ISREG(st.st_mode))
        return sb_error("%s: what is no file can't be looked at beforehand", input->path);
    struct sb_sampler *s = sb_sampler_open(input->path, &any, e->jobs, e->stop);
    if (!s) return -1;
    const struct sb_video *v = sb_sampler_video(s);
    bool still = sb_video_still(v), known = !still && find_ticks(e, v, &t);
    out->duration = still ? 0 : sb_video_duration(v);
    sb_sampler_close(s);
    if (still) return estimate_still(e, input, out);
    if (!known) return sb_error("%s: it does not say how long it is", input->path);
    return t.count ? estimate_frames(e, input, &t, out) : 0;
}

/* ---- pictures ---- */

/* Without decoding it: what is written of a picture's size that is black. */
static int raw_picture(struct sb_estimator *e, const struct sb_input *input, double *bytes)
{
    int width, height;
    struct sb_picture *p = &e->memory.picture;
    if (sb_picture_peek(input->path, &width, &height) < 0) return -1;
    sb_frame_size(&e->style, &width, &height);
    if (width != e->width || height != e->height) {
        sb_record_reset(&e->tick);
        if (sb_picture_size(p, width, height) < 0) return sb_error("%s: too large a picture", input->path);
        memset(p->rgb, 0, (size_t)width * (size_t)height * 3);
        if (sb_image_set(&e->tick, "image", p, SB_IMAGE_RAW, &e->memory.bytes) < 0) return -1;
        e->width = width;
        e->height = height;
        e->raw_bytes = image_bytes(&e->tick);
    }
    *bytes = e->raw_bytes;
    return 0;
}

/* Some are encoded, the others are taken to be as these. */
static int encoded_picture(struct sb_estimator *e, const struct sb_input *input, double *bytes)
{
    uint64_t each = (e->inputs->count + SAMPLES - 1) / SAMPLES;
    if (e->pictures++ % each == 0) {
        if (sb_picture_record(&e->style, input, &e->memory, &e->tick) < 0) return -1;
        e->encoded_bytes += image_bytes(&e->tick);
        e->encoded++;
    }
    *bytes = e->encoded ? e->encoded_bytes / (double)e->encoded : 0;
    return 0;
}

static int estimate_picture(struct sb_estimator *e, const struct sb_input *input, struct sb_estimate *out)
{
    bool raw = e->style.encoding == SB_IMAGE_RAW;
    if (!e->no_image && (raw ? raw_picture : encoded_picture)(e, input, &out->bytes) < 0) return -1;
    out->frames = 1;
    out->about = !raw && !e->no_image;
    sb_picture_origin(input, &e->tick);
    out->bytes += (double)e->put(e->arg, input, &e->tick);
    return 0;
}

int sb_estimate(struct sb_estimator *e, const struct sb_input *input, struct sb_estimate *out)
{
    *out = (struct sb_estimate){0};
    return input->picture ? estimate_picture(e, input, out) : estimate_video(e, input, out);
}

void sb_estimator_free(struct sb_estimator *e)
{
    sb_frame_memory_free(&e->memory);
    sb_record_free(&e->rec);
    sb_record_free(&e->tick);
}
