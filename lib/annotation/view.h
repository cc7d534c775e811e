/* What a record says of its picture, one annotation at a time, whatever shape the record has: for programs that write
 * other people's formats.
 *
 *   an annotation        `box`, `points` or neither, with `label`, or `predicted` (the best is its name), or `labels`
 *   a picture's, many    `boxes` with `labels` and `scores`; names beyond the boxes are the whole picture's, as are
 *                        `label` and `predicted`
 *   a whole picture's    `label`, `labels` or `predicted` alone
 *
 * A name that a person or a data set gave wins over what a machine thinks. All of it borrows from the record, and lasts
 * until the record changes or is read again. */
#ifndef SB_ANNOTATION_VIEW_H
#define SB_ANNOTATION_VIEW_H

#include "base/progress.h"
#include "base/record.h"

/* Text that is somebody else's, not NUL-terminated; size 0: none. */
struct sb_span {
    const char *text;
    size_t size;
};

struct sb_prediction {
    struct sb_span label;
    double probability;
};

enum sb_named_by {
    SB_NAMED_BY_NOBODY,
    SB_NAMED_BY_MACHINE,  /* `label_status` machine, or `predicted` alone */
    SB_NAMED_BY_SOMEBODY, /* a `label` without a status: a person's or a data set's, as far as it is known */
    SB_NAMED_BY_REVIEW    /* `label_status` verified */
};

struct sb_viewed {
    struct sb_span name; /* what it is called */
    enum sb_named_by named_by;
    struct sb_span by; /* `labelled_by` */
    bool boxed;
    float box[4];         /* x y w h, pixels of the whole picture */
    struct sb_span shape; /* "Point", "Circle", "Polygon", ...; of an upright box, and of a whole picture: none */
    const float *points;  /* [point_count, 2] or NULL */
    size_t point_count;
    double radius;      /* of a Circle; NAN */
    double probability; /* how likely a machine thinks its name is: its pair's, else its confidence; NAN: not said */
    double confidence;  /* `confidence`, or the box's of `scores`; NAN */
    const struct sb_prediction *predicted; /* all pairs, as they stand */
    size_t predictions;
    int64_t aphia_id; /* 0: none */
};

/* A zeroed one is valid and is filled again and again. */
struct sb_view {
    double least; /* the caller's: leave out what a machine named with a smaller probability */
    struct sb_record *rec;
    struct sb_span id, picture; /* of the record; of the whole picture: `parent`, or else `id` */
    struct sb_span source, url, group, split, annotation_id, track;
    double pts, time, lat, lon, depth; /* NAN: not known */
    int64_t width, height;             /* of the whole picture, pixels; 0: not known */
    bool has_image, whole;             /* there is an `image`; it is all of the picture, not a part cut out */
    struct sb_viewed *item;            /* [count] */
    size_t count, cap;
    size_t unlikely, unboxed; /* left out for `least`, and because its box has no area */
};

/* -1 with a message if a field is of a wrong type or shape. */
int sb_view_read(struct sb_view *v, struct sb_record *rec);
void sb_view_count(const struct sb_view *v, struct sb_counts *counts); /* what it left out */
/* What the whole picture's file is called: its source, of a moment of a video "dive_000012.345.png". The caller frees
 * it. */
char *sb_view_name(const struct sb_view *v);
/* Where it was published: as the record says, or below `prefix`; NULL: neither. The caller frees it. */
char *sb_view_url(const struct sb_view *v, const char *prefix);
void sb_view_free(struct sb_view *v);

#endif
