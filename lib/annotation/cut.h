/* Boxes and tiles cut out of the pictures of records: which there are, and the record of each. */
#ifndef SB_ANNOTATION_CUT_H
#define SB_ANNOTATION_CUT_H

#include "base/record.h"
#include "media/crop.h"
#include "media/image.h"

struct sb_cut_style {
    struct sb_margin margin;
    bool square, scale; /* scale: a box drawn in another size of the picture is followed */
    double points;      /* pixels: points are cut out as squares of that side; 0: they are not */
    int columns, rows;  /* tiles, whatever boxes there are; 0: boxes */
    double overlap;     /* of tiles */
    enum sb_image_encoding encoding;
};

struct sb_cut {
    float box[4]; /* x y w h in pixels of the picture that it was drawn in; of a point x y 0 0 */
    bool point;
    const char *label; /* the box's of `labels`, borrowed from the record; size 0: none */
    size_t label_size;
    double score; /* the box's of `scores`; NAN */
};

/* What is to be cut out of a record's picture. A zeroed one is valid; it is filled again and again. */
struct sb_cuts {
    struct sb_cut *cut;
    size_t count, cap;
    bool own;          /* the record is the annotation itself, with `box`, or one point */
    int width, height; /* `parent_size`, or 0 */
    bool points;       /* there are points, but none are wanted */
};

/* Of `box`, or else of `boxes` with `labels` and `scores`, or else of `points` that are no outline: -1 with a message
 * if one of them is of a wrong type or shape. */
int sb_cuts_list(struct sb_cuts *cuts, const struct sb_cut_style *style, struct sb_record *rec);
/* The same in tiles of the picture. */
int sb_cuts_tile(struct sb_cuts *cuts, const struct sb_cut_style *style, const struct sb_picture *p);
void sb_cuts_free(struct sb_cuts *cuts);

/* Memory that is reused. A zeroed one is valid. */
struct sb_cut_memory {
    struct sb_picture crop;
    struct sb_buffer scratch;
};
void sb_cut_memory_free(struct sb_cut_memory *m);

/* `out` becomes the record of one of them: what the record says of all of its picture, the box and its label, the crop
 * as `image`. It borrows from rec, and is reset. 1; 0 if the box lies outside of the picture; -1 with a message. */
int sb_cut_record(const struct sb_cuts *cuts, size_t index, const struct sb_cut_style *style, struct sb_record *rec,
                  const struct sb_picture *p, struct sb_cut_memory *m, struct sb_record *out);

#endif
