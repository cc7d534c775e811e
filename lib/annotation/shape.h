/* Shapes that annotations draw, as lists of coordinates: the fields `shape`, `points` and `radius`, and the box around
 * them. Lists of coordinates are as BIIGLE and iFDO have them. */
#ifndef SB_ANNOTATION_SHAPE_H
#define SB_ANNOTATION_SHAPE_H

#include <jansson.h>

#include "base/record.h"

enum sb_shape {
    SB_SHAPE_POINT,     /* x y */
    SB_SHAPE_CIRCLE,    /* x y radius */
    SB_SHAPE_POLYGON,   /* x y x y x y ... */
    SB_SHAPE_LINE,      /* x y x y ... */
    SB_SHAPE_ELLIPSE,   /* the ends of its major axis, then those of the minor one */
    SB_SHAPE_RECTANGLE, /* four corners in order, turned or upright */
    SB_SHAPE_WHOLE,     /* the whole picture: no numbers */
    SB_SHAPES
};

/* BIIGLE's name of one, which `shape` has; -1: none is called so. */
int sb_shape_named(const char *name);

/* Sets the fields of a shape, none for an upright rectangle, which is its box. 1 and the box around it; 0: it has none
 * (a point, the whole picture, a line without a width or height); -1 with a message: there are too few numbers, or one
 * is no pixel's. Numbers that are kept as f32 are rounded in place: the box is that of the points as they are kept. */
int sb_shape_set(struct sb_record *fields, enum sb_shape shape, double *v, size_t count, double box[4]);

/* Numbers that a list of JSON holds: [1, 2] or, as older iFDOs have them, [{"x": 1, "y": 2}]. Memory is reused; the
 * owner frees v. */
struct sb_shape_numbers {
    double *v;
    size_t count, cap;
};

bool sb_shape_read(struct sb_shape_numbers *numbers, const json_t *list);

#endif
