#include "media/sea_dive.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/buffer.h"
#include "base/hash.h"
#include "base/philox.h"
#include "media/resize.h"
#include "media/sea_inner.h"

#define MARGIN 0.08f /* on each side, of the longer side of the box */
#define SMALLEST 24.0f
#define GAP 3.0 /* seconds between the frames of a dive */

void sb_sea_set_origin(struct sb_record *rec, const char *source, double pts, const float box[4])
{
    char id[SB_HEX];
    int64_t ns = (int64_t)(pts * 1e9 + 0.5);
    sb_record_reset(rec);
    sb_hash_id(source, ns, box, id);
    sb_set_cstr(rec, "id", id);
    if (box) {
        sb_hash_id(source, ns, NULL, id);
        sb_set_cstr(rec, "parent", id);
    }
    sb_set_cstr(rec, "source", source);
    sb_set_real(rec, "pts", pts);
    if (!box) return;
    struct sb_tensor where = {.dtype = SB_F32, .ndim = 1, .shape = {4}};
    sb_set_tensor_space(rec, "box", &where);
    memcpy(where.data, box, 4 * sizeof *box);
}

/* A picture has one label where all that is in it is of one kind. */
static bool of_one_kind(const struct sb_sighting *seen, int count)
{
    for (int i = 1; i < count; i++)
        if (seen[i].kind != seen[0].kind) return false;
    return count > 0;
}

void sb_sea_set_truth(struct sb_record *rec, const struct sb_sighting *seen, int count, enum sb_floor floor)
{
    char caption[SB_CAPTION];
    struct sb_buffer packed = {0};
    msgpack_packer pk;
    sb_set_cstr(rec, "caption", sb_sea_caption(seen, count, floor, caption));
    msgpack_packer_init(&pk, &packed, sb_buffer_write);
    msgpack_pack_array(&pk, (size_t)count);
    for (int i = 0; i < count; i++) {
        const char *name = sb_animal_name(seen[i].kind);
        msgpack_pack_str_with_body(&pk, name, strlen(name));
    }
    sb_set_packed(rec, "labels", packed.data, packed.size);
    free(packed.data);
    if (!count) return;
    if (of_one_kind(seen, count)) sb_set_cstr(rec, "label", sb_animal_name(seen[0].kind));
    struct sb_tensor boxes = {.dtype = SB_F32, .ndim = 2, .shape = {count, 4}};
    sb_set_tensor_space(rec, "boxes", &boxes);
    for (int i = 0; i < count; i++) memcpy((float *)boxes.data + 4 * i, seen[i].box, sizeof seen[i].box);
}

static float overlap(const float a[4], const float b[4])
{
    float w = fminf(a[0] + a[2], b[0] + b[2]) - fmaxf(a[0], b[0]),
          h = fminf(a[1] + a[3], b[1] + b[3]) - fmaxf(a[1], b[1]);
    return w > 0 && h > 0 ? w * h : 0;
}

bool sb_sea_crop(const struct sb_sighting *seen, int count, int which, int width, int height, float box[4])
{
    const float *own = seen[which].box;
    float most = own[2] > own[3] ? own[2] : own[3], frame = (float)(width < height ? width : height);
    float side = floorf(sea_clamp(most * (1.0f + 2.0f * MARGIN), 0.0f, frame));
    if (side < SMALLEST) return false;
    box[0] = floorf(sea_clamp(own[0] + 0.5f * (own[2] - side), 0.0f, (float)width - side));
    box[1] = floorf(sea_clamp(own[1] + 0.5f * (own[3] - side), 0.0f, (float)height - side));
    box[2] = box[3] = side;
    float mine = overlap(box, own);
    for (int i = 0; i < count; i++)
        if (i != which && overlap(box, seen[i].box) > 0.3f * mine) return false;
    return true;
}

static struct sb_record *add_record(struct sb_sea_dive *d)
{
    size_t before = d->cap;
    SB_GROW(d->rec, d->cap, d->count + 1);
    if (d->cap > before) memset(d->rec + before, 0, (d->cap - before) * sizeof *d->rec);
    return &d->rec[d->count++];
}

static int add_frame(const struct sb_sea_plan *plan, struct sb_sea_dive *d, const struct sb_sea *sea, double t,
                     const char *group)
{
    struct sb_sighting seen[SB_SEA_VISIBLE];
    int n = sb_sea_visible(sea, t, seen);
    sb_sea_render(sea, t, &d->frame);
    if (!plan->crops) {
        struct sb_record *rec = add_record(d);
        sb_sea_set_origin(rec, group, t, NULL);
        sb_set_cstr(rec, "group", group);
        sb_sea_set_truth(rec, seen, n, sb_sea_floor(sea, t));
        return sb_image_set(rec, "image", &d->frame, plan->encoding, &d->bytes);
    }
    for (int i = 0; i < n; i++) {
        float box[4];
        if (!sb_sea_crop(seen, n, i, plan->width, plan->height, box)) continue;
        if (sb_crop(&d->frame, &d->crop, (int)box[0], (int)box[1], (int)box[2], (int)box[3])) return -1;
        struct sb_record *rec = add_record(d);
        sb_sea_set_origin(rec, group, t, box);
        sb_set_parent_size(rec, plan->width, plan->height);
        sb_set_cstr(rec, "group", group);
        sb_set_cstr(rec, "label", sb_animal_name(seen[i].kind));
        if (sb_image_set(rec, "image", &d->crop, plan->encoding, &d->bytes)) return -1;
    }
    return 0;
}

/* Whether the plan wants a frame of this moment. */
static bool good_moment(const struct sb_sea_plan *plan, const struct sb_sea *sea, double t)
{
    struct sb_sighting seen[SB_SEA_VISIBLE];
    return sb_sea_clear(sea, t) && (!plan->labelled || of_one_kind(seen, sb_sea_visible(sea, t, seen)));
}

int sb_sea_dive_make(const struct sb_sea_plan *plan, uint32_t number, struct sb_sea_dive *d)
{
    char group[64];
    struct sb_philox key = sb_philox(plan->seed, number, 0, 0, 0x5ea);
    int rc = sb_picture_size(&d->frame, plan->width, plan->height);
    struct sb_sea *sea = sb_sea_new((uint64_t)key.w[0] << 32 | key.w[1], GAP * plan->frames, plan->width, plan->height);
    snprintf(group, sizeof group, "sea-%" PRIu64 "-%06" PRIu32, plan->seed, number);
    d->count = 0;
    for (int k = 0; k < plan->frames && !rc; k++) {
        double t = GAP * k, end = t + GAP - 0.5;
        t += 0.25 * (double)(key.w[2] >> (k & 15) & 3);
        while (t < end && !good_moment(plan, sea, t)) t += 0.25;
        if (t < end) rc = add_frame(plan, d, sea, t, group);
    }
    sb_sea_free(sea);
    return rc;
}

void sb_sea_dive_free(struct sb_sea_dive *d)
{
    for (size_t i = 0; i < d->cap; i++) sb_record_free(&d->rec[i]);
    free(d->rec);
    sb_picture_free(&d->frame);
    sb_picture_free(&d->crop);
    free(d->bytes.data);
    memset(d, 0, sizeof *d);
}
