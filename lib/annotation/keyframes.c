#include "annotation/keyframes.h"

#include <math.h>

/* Whether there are gaps; -1 with a message: it is no list of times. */
static int has_gaps(const json_t *times)
{
    size_t i;
    const json_t *at;
    bool gaps = false;
    json_array_foreach(times, i, at)
    {
        gaps = gaps || json_is_null(at);
        if (!json_is_null(at) && !(json_is_number(at) && fabs(json_number_value(at)) <= 1e9)) return -1;
    }
    return json_array_size(times) ? gaps : -1;
}

static void remove_shape(struct sb_record *fields)
{
    static const char *const of_one[] = {"shape", "points", "radius", "duration"};
    for (size_t i = 0; i < sizeof of_one / sizeof *of_one; i++) sb_record_remove(fields, of_one[i]);
}

/* The number of times that are done with. */
static size_t set_duration(struct sb_record *fields, const json_t *times, size_t i)
{
    const json_t *end = json_array_get(times, i + 1);
    if (!json_is_number(end)) return 1;
    sb_set_real(fields, "duration", json_number_value(end) - json_number_value(json_array_get(times, i)));
    return 2;
}

int sb_keyframes_each(const json_t *times, const json_t *points, bool whole, struct sb_record *fields,
                      int (*add)(void *arg, double pts, const json_t *points), void *arg)
{
    int gaps = has_gaps(times), segment = 0, rc = 0;
    if (gaps < 0) {
        sb_error("its frames are no list of times");
        return 1;
    }
    if (!whole && json_array_size(points) != json_array_size(times)) {
        sb_error("it has another number of frames than of points");
        return 1;
    }
    for (size_t i = 0, done; rc == 0 && i < json_array_size(times); i += done) {
        const json_t *at = json_array_get(times, i);
        done = 1;
        segment += json_is_null(at);
        if (json_is_null(at)) continue;
        remove_shape(fields);
        if (gaps) sb_set_int(fields, "segment", segment);
        if (whole) done = set_duration(fields, times, i);
        rc = add(arg, json_number_value(at), json_array_get(points, i));
    }
    return rc;
}
