/* The synthetic sea as records: what is in a frame, animals cut out of it, a dive's frames. */
#ifndef SB_MEDIA_SEA_DIVE_H
#define SB_MEDIA_SEA_DIVE_H

#include "base/record.h"
#include "media/image.h"
#include "media/sea.h"

/* Empties the record; sets id, source, pts, and for a crop (box not NULL) parent and box. */
void sb_sea_set_origin(struct sb_record *rec, const char *source, double pts, const float box[4]);

/* Sets caption; labels and boxes (f32 [n,4]) in one order, largest first; label, where all are of one kind. An empty
 * frame has a caption and empty labels only. */
void sb_sea_set_truth(struct sb_record *rec, const struct sb_sighting *seen, int count, enum sb_floor floor);

/* The square around the `which`th sighting, with a margin, pushed into the frame, as whole pixels x y w h. False
 * where a crop would teach nothing: smaller than 24 pixels, or another animal fills a good part of it. */
bool sb_sea_crop(const struct sb_sighting *seen, int count, int which, int width, int height, float box[4]);

struct sb_sea_plan {
    uint64_t seed;
    int width, height;
    int frames;    /* of a dive, 3 s apart */
    bool labelled; /* only frames whose animals are all of one kind, which then is their label */
    bool crops;    /* a record for each animal instead of one for each frame */
    enum sb_image_encoding encoding;
};

/* The records of one dive. A zeroed one is valid; it is reused by make and owned by its caller. */
struct sb_sea_dive {
    struct sb_record *rec;
    size_t count, cap;
    struct sb_picture frame, crop;
    struct sb_buffer bytes;
};

/* Dive `number` of the plan, whatever was made before: frames are taken at moments whose caption nobody could argue
 * about, none where there is no such moment within 3 s. 0, or -1 with a message. */
int sb_sea_dive_make(const struct sb_sea_plan *plan, uint32_t number, struct sb_sea_dive *dive);
void sb_sea_dive_free(struct sb_sea_dive *dive);

#endif
