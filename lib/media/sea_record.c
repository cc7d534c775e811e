#include "media/sea_record.h"

#include <msgpack.h>
#include <string.h>

#include "base/buffer.h"
#include "media/sea_inner.h"

#define MARGIN 0.08f /* on each side, of the longer side of the box */
#define SMALLEST 24.0f

void sb_sea_set_truth(struct sb_record *rec, const struct sb_sighting *seen, int count, enum sb_floor floor)
{
    char caption[SB_CAPTION];
    struct sb_buffer packed = {0};
    msgpack_packer pk;
    sb_set_cstr(rec, "caption", sb_sea_caption(seen, count, floor, caption));
    msgpack_packer_init(&pk, &packed, sb_buffer_write);
    msgpack_pack_array(&pk, (size_t)count);
    for (int i = 0; i < count; i++) msgpack_pack_str_with_body(&pk, sb_animal_name(seen[i].kind), strlen(sb_animal_name(seen[i].kind)));
    sb_set_packed(rec, "labels", packed.data, packed.size);
    free(packed.data);
    if (!count) return;
    sb_set_cstr(rec, "label", sb_animal_name(seen[0].kind));
    struct sb_tensor boxes = {.dtype = SB_F32, .ndim = 2, .shape = {count, 4}};
    sb_set_tensor_space(rec, "boxes", &boxes);
    for (int i = 0; i < count; i++) memcpy((float *)boxes.data + 4 * i, seen[i].box, sizeof seen[i].box);
}

static float overlap(const float a[4], const float b[4])
{
    float w = fminf(a[0] + a[2], b[0] + b[2]) - fmaxf(a[0], b[0]), h = fminf(a[1] + a[3], b[1] + b[3]) - fmaxf(a[1], b[1]);
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
