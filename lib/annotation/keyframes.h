/* Annotations of video as BIIGLE and iFDO have them: a list of times, and a list of coordinates for each. */
#ifndef SB_ANNOTATION_KEYFRAMES_H
#define SB_ANNOTATION_KEYFRAMES_H

#include <jansson.h>

#include "base/record.h"

/* Calls add() for each time, s, with its points, until it returns other than 0, which is returned. Before that it sets
 * `segment`, the number from 0 of the part, where the times have gaps (null), and removes what sb_shape_set() had set
 * for the time before. A `whole` frame has no points; a segment of it is one, with a `duration` where it has an end. 1
 * with a message if they are no such lists. */
int sb_keyframes_each(const json_t *times, const json_t *points, bool whole, struct sb_record *fields,
                      int (*add)(void *arg, double pts, const json_t *points), void *arg);

#endif
