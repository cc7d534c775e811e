/* The formats of annotations that sb-import reads, and what they have in common. formats.c lists them. */
#ifndef SB_ANNOTATION_FORMAT_H
#define SB_ANNOTATION_FORMAT_H

#include "annotation/annotated.h"
#include "base/clock.h"

/* What a file may leave open. */
struct sb_annotation_options {
    const char *source;  /* the video that it is about, where the file does not name it; NULL: by the file's own name */
    const char *images;  /* the folder of its pictures; NULL: beside it, or wherever the format has them */
    const char *dataset; /* the file that COCO results are about; NULL: none */
    double fps;          /* frames a second of that video; 0: as the file says */
    struct sb_zone zone; /* of times that name none; may be not given */
};

struct sb_annotation_format {
    const char *name;     /* "viame": the first operand */
    const char *operands; /* "FILE.csv..." */
    const char *summary;  /* "VIAME CSV, of pictures or of a video" */
    const char *options;  /* those that not every format takes, "source,fps" */
    bool found;           /* it sets each picture's path itself: none is looked for */
    bool single; /* pictures are what is labelled, not boxes in them: there is nothing to cut out or to gather */
    /* Adds what the file says. Pictures with a `pts` are moments of a video, and none of its pictures is there to load.
     * -1 with a message that begins with the file's name. */
    int (*read)(const char *path, const struct sb_annotation_options *o, struct sb_annotated_list *list);
};

extern const struct sb_annotation_format sb_biigle;
extern const struct sb_annotation_format sb_class_folders;
extern const struct sb_annotation_format sb_coco;
extern const struct sb_annotation_format sb_fathomnet;
extern const struct sb_annotation_format sb_ifdo;
extern const struct sb_annotation_format sb_manifest;
extern const struct sb_annotation_format sb_vars;
extern const struct sb_annotation_format sb_viame;
extern const struct sb_annotation_format sb_voc;
extern const struct sb_annotation_format sb_yolo;

const struct sb_annotation_format *sb_annotation_format_named(const char *name); /* NULL: none */
/* What a video is called that the file at `path` does not name: o->source, or the file's own name without its folder
 * and its ending. The caller frees it. */
char *sb_annotation_video(const char *path, const struct sb_annotation_options *o);
/* "folders, coco, viame", with `between` in between; the caller frees it. */
char *sb_annotation_format_names(const char *between);

#endif
