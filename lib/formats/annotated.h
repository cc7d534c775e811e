/* Pictures and what a data set says of them, and the records made of both. */
#ifndef SB_FORMATS_ANNOTATED_H
#define SB_FORMATS_ANNOTATED_H

#include <stdbool.h>

#include "base/record.h"
#include "media/image.h"

struct sb_annotation {
    const char *label; /* NULL: none; owned by the list */
    double box[4];     /* x y w h, pixels of the picture */
};

struct sb_annotated {
    char *path;        /* where the picture lies */
    char *source;      /* below the folder that was named */
    char *url;         /* where it was published, or NULL */
    const char *label; /* of the whole picture, or NULL; owned by the list */
    char *group;       /* or NULL */
    struct sb_annotation *annotation;
    size_t count, cap;
};

/* A zeroed list is valid and empty. It owns what its items point to. */
struct sb_annotated_list {
    struct sb_annotated *item;
    size_t count, cap;
    char **label; /* the names that labels point to */
    size_t labels, labels_cap;
    size_t other;   /* files that are no pictures */
    size_t boxless; /* annotations without a usable box, or without a picture */
};

struct sb_annotated *sb_annotated_add(struct sb_annotated_list *list);            /* zeroed */
const char *sb_annotated_label(struct sb_annotated_list *list, const char *name); /* a copy that the list owns */
void sb_annotated_free(struct sb_annotated_list *list);

/* Sets `group` of each item to what the POSIX extended regular expression finds in its source: the first group in
 * parentheses, or all that matched. -1 with a message if one does not match, or the expression is wrong. */
int sb_annotated_group(struct sb_annotated_list *list, const char *regex);

/* A place to make records in. A zeroed one is valid; reused. */
struct sb_annotated_work {
    struct sb_record *record; /* [count] */
    size_t count, cap;
    size_t outside; /* boxes that lie outside of the picture: no record */
    struct sb_picture picture, crop;
    struct sb_buffer file, scratch;
};

/* Loads the picture and makes its records: one a box, cut out; or, with `whole`, one for the picture, with what is
 * known as label, or labels and boxes. With encoding NULL a whole picture keeps its file's bytes and a crop is a PNG.
 * -1 with a message if it can't be read or is broken. Safe in threads. */
int sb_annotated_records(const struct sb_annotated *a, bool whole, const enum sb_image_encoding *encoding,
                         struct sb_annotated_work *work);
void sb_annotated_work_free(struct sb_annotated_work *work);

#endif
