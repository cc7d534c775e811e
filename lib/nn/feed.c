#include "nn/feed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "nn/words.h"

void sb_feed_init(struct sb_feed *f, struct sb_dataset *d, int batch, const struct sb_dictionary *words, int length,
                  uint64_t seed)
{
    size_t picture = 3 * (size_t)d->size * (size_t)d->size * sb_dtype_size(d->dtype), bytes;
    if (!sb_mul(picture, (size_t)batch, &bytes)) sb_die("a batch of %d is too large", batch);
    *f = (struct sb_feed){.data = d, .words = words, .length = length, .seed = seed};
    f->pictures = sb_aligned(64, bytes);
    f->matrix = sb_calloc((size_t)batch, 6 * sizeof *f->matrix);
    f->colour = sb_calloc((size_t)batch, 2 * sizeof *f->colour);
    f->label = sb_calloc((size_t)batch, sizeof *f->label);
    f->caption = sb_calloc((size_t)batch, (size_t)(length ? length : 1) * sizeof *f->caption);
}

void sb_feed_free(struct sb_feed *f)
{
    sb_record_free(&f->record);
    free(f->pictures);
    free(f->matrix);
    free(f->colour);
    free(f->label);
    free(f->caption);
    memset(f, 0, sizeof *f);
}

bool sb_augment_any(const struct sb_augment *a)
{
    return a->flip || a->flip_vertical || a->rotate > 0 || a->scale > 0 || a->shift > 0 || a->colour > 0;
}

void sb_augment_draw(const struct sb_augment *a, uint64_t seed, uint64_t epoch, uint64_t record, int side,
                     float matrix[6], float colour[2])
{
    struct sb_rng r;
    sb_rng_init(&r, seed ^ 0x6175676d656e74u, epoch << 40 ^ record);
    double centre = (side - 1) / 2.0;
    double angle = sb_rng_range(&r, -a->rotate, a->rotate) * M_PI / 180;
    double zoom = exp(sb_rng_range(&r, -1, 1) * log1p(a->scale));
    double dx = sb_rng_range(&r, -a->shift, a->shift) * side, dy = sb_rng_range(&r, -a->shift, a->shift) * side;
    double across = a->flip && sb_rng_below(&r, 2) ? -1 : 1, down = a->flip_vertical && sb_rng_below(&r, 2) ? -1 : 1;
    double c = cos(angle) / zoom, s = sin(angle) / zoom;
    matrix[0] = (float)(across * c);
    matrix[1] = (float)(across * s);
    matrix[2] = (float)(centre - across * (c * (centre + dx) + s * (centre + dy)));
    matrix[3] = (float)(-down * s);
    matrix[4] = (float)(down * c);
    matrix[5] = (float)(centre - down * (-s * (centre + dx) + c * (centre + dy)));
    colour[0] = (float)sb_rng_range(&r, 1 - a->colour, 1 + a->colour);
    colour[1] = (float)(sb_rng_range(&r, -a->colour, a->colour) * 127.5);
}

int sb_feed_batch(struct sb_feed *f, const struct sb_part *part, const uint32_t *order, size_t first, int count,
                  const struct sb_augment *augment, uint64_t epoch, struct sb_batch *out)
{
    struct sb_dataset *d = f->data;
    size_t bytes = 3 * (size_t)d->size * (size_t)d->size * sb_dtype_size(d->dtype);
    for (int i = 0; i < count; i++) {
        const struct sb_example *e = &part->example[order ? order[first + (size_t)i] : first + (size_t)i];
        struct sb_tensor t;
        if (sb_spool_get(d->spool, e->record, &f->record)) return -1;
        if (sb_get_tensor(&f->record, "tensor", &t) != 1 || sb_tensor_bytes(&t) != bytes)
            return sb_error("record %llu changed while it was read", (unsigned long long)e->record + 1);
        memcpy(f->pictures + (size_t)i * bytes, t.data, bytes);
        if (augment) sb_augment_draw(augment, f->seed, epoch, e->record, d->size, f->matrix + 6 * i, f->colour + 2 * i);
        if (f->words)
            sb_words_encode(f->words, d->target.text[sb_example_target(d, e)], f->caption + (size_t)i * (size_t)f->length,
                            f->length);
        else
            f->label[i] = sb_example_target(d, e);
    }
    *out = (struct sb_batch){
        .count = count,
        .dtype = d->dtype,
        .pictures = f->pictures,
        .height = d->size,
        .width = d->size,
        .matrix = augment ? f->matrix : NULL,
        .colour = augment && augment->colour > 0 ? f->colour : NULL,
        .label = f->words ? NULL : f->label,
        .caption = f->words ? f->caption : NULL,
    };
    return 0;
}
