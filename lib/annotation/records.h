/* Records made of annotated pictures: a record an annotation, with its crop; or one a picture. */
#ifndef SB_ANNOTATION_RECORDS_H
#define SB_ANNOTATION_RECORDS_H

#include "annotation/annotated.h"
#include "media/image.h"

struct sb_annotation_style {
    bool whole;                             /* one record a picture, with `labels` and `boxes` */
    bool single;                            /* each annotation is its whole picture's, whatever fields it has */
    bool no_images;                         /* records without a picture, which need not be there */
    int64_t points;                         /* pixels: a point is given a square of that side; 0: none is cut out */
    const enum sb_image_encoding *encoding; /* NULL: a whole picture keeps its file's bytes, a crop is a PNG */
};

/* A place to make records in. A zeroed one is valid; reused. */
struct sb_annotation_work {
    struct sb_record *record; /* [count] */
    size_t count, cap;
    size_t outside; /* boxes that lie outside of the picture: no record */
    size_t points;  /* points without `style->points`: no record */
    struct sb_picture picture, crop;
    struct sb_buffer file, scratch;
    struct sb_record fields, about;
    struct sb_dictionary ids; /* of the picture's records */
};

/* Loads the picture and makes its records:
 *   a box's       id, parent, source, what is known of the picture and of the annotation, box, parent_size, image
 *   a point's     the same with `region`, the square that was cut out, in place of box
 *   the picture's id, source, what is known, image: where an annotation has neither, where there is none (only if the
 *                 list was one of pictures: path set by its reader), and with style->whole
 * Of records that would have the same id, the later ones' hash what tells them apart besides. -1 with a message if the
 * picture can't be read, is broken, or is of another size than its annotations say. Safe in threads. */
int sb_annotation_records(const struct sb_annotated_list *list, size_t picture, const struct sb_annotation_style *style,
                          struct sb_annotation_work *work);
void sb_annotation_work_free(struct sb_annotation_work *work);

#endif
