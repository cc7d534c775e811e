/* A picture that several records in a row carry, each with the same bytes, is decoded once: by the thread that asks
 * first, while others that ask wait for it. */
#ifndef SB_MEDIA_SHARED_PICTURE_H
#define SB_MEDIA_SHARED_PICTURE_H

#include "media/image.h"

struct sb_shared_picture;

/* The picture in `field` of a record, which loses that field: *last, if its bytes were the same, else another one,
 * which *last then is, too. NULL if the record has none. Whoever has one releases it; so is *last, which begins as
 * NULL, at the end. Not in threads. */
struct sb_shared_picture *sb_shared_picture_of(struct sb_shared_picture **last, struct sb_record *rec,
                                               const char *field);
/* Decoded as sb_image_get_as() does; its pixels are not to be written, and last until the release. Safe in threads. */
int sb_shared_picture_get(struct sb_shared_picture *s, const struct sb_decoding *how, const struct sb_picture **p);
void sb_shared_picture_release(struct sb_shared_picture *s); /* NULL is none; safe in threads */

#endif
