#include "select/look.h"

#include <stdlib.h>
#include <string.h>

#include "media/image.h"
#include "media/thumb.h"

_Static_assert(SB_PHASH_SIDE == SB_THUMB_SIDE, "hashes are made of thumbs");

static struct sb_hash hash_pixels(const struct sb_picture *p)
{
    struct sb_hash pixels = sb_hash_bytes(p->rgb, (size_t)3 * (size_t)p->width * (size_t)p->height);
    uint64_t all[4] = {(uint64_t)p->width, (uint64_t)p->height, pixels.hi, pixels.lo};
    return sb_hash_bytes(all, sizeof all);
}

/* The exact hash, and the thumb unless it is not wanted. As sb_image_get(): 1, 0 or -1. */
static int look_at_image(const struct sb_duplicates *d, struct sb_record *rec, struct sb_picture *picture,
                         struct sb_look *look, struct sb_thumb *thumb)
{
    const uint8_t *jpeg;
    size_t size;
    if (d->bits && sb_image_jpeg(rec, "image", &jpeg, &size)) {
        look->exact = sb_hash_bytes(jpeg, size);
        return sb_jpeg_thumb(jpeg, size, thumb) < 0 ? -1 : 1;
    }
    int found = sb_image_get(rec, "image", picture);
    if (found <= 0) return found;
    look->exact = hash_pixels(picture);
    if (d->bits) sb_picture_thumb(picture, thumb);
    return 1;
}

static int look_at_embedding(struct sb_record *rec, struct sb_look_memory *m, struct sb_look *look)
{
    struct sb_tensor t;
    look->embedding = NULL;
    int found = sb_get_tensor(rec, "embedding", &t);
    if (found <= 0) return found;
    if (t.dtype != SB_F32 || t.ndim != 1) return sb_error("field 'embedding' is no row of f32");
    look->dim = (size_t)t.shape[0];
    SB_GROW(m->embedding, m->cap, look->dim);
    memcpy(m->embedding, t.data, look->dim * sizeof *m->embedding);
    if (sb_direction_make(m->embedding, look->dim)) look->embedding = m->embedding;
    return 0;
}

int sb_look_make(const struct sb_duplicates *d, struct sb_record *rec, struct sb_look_memory *m, struct sb_look *look)
{
    struct sb_thumb thumb;
    int found = look_at_image(d, rec, &m->picture, look, &thumb);
    if (found < 0) return -1;
    if (!found) return sb_error("no field 'image' to compare");
    int windows = d->crops ? SB_PHASH_WINDOWS : 1;
    if (d->bits) sb_phash(thumb.grey, d->bits, windows, look->hash, d->flips ? look->mirrored : NULL);
    return d->cosine < 0 || look_at_embedding(rec, m, look) >= 0 ? 0 : -1;
}

void sb_look_memory_free(struct sb_look_memory *m)
{
    sb_picture_free(&m->picture);
    free(m->embedding);
}
