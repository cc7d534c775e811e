/* The synthetic sea as records: what is in a frame, and pictures cut out of it. */
#ifndef SB_MEDIA_SEA_RECORD_H
#define SB_MEDIA_SEA_RECORD_H

#include "base/record.h"
#include "media/image.h"
#include "media/sea.h"

/* Sets caption; labels and boxes (f32 [n,4]) in one order, largest first; label, the first of them. An empty frame has a
 * caption and empty labels only. */
void sb_sea_set_truth(struct sb_record *rec, const struct sb_sighting *seen, int count, enum sb_floor floor);

/* The square around the `which`th sighting, with a margin, pushed into the frame, as whole pixels x y w h. False where a
 * crop would teach nothing: smaller than 24 pixels, or another animal fills a good part of it. */
bool sb_sea_crop(const struct sb_sighting *seen, int count, int which, int width, int height, float box[4]);

#endif
