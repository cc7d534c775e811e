/* Pictures and what somebody said of them, gathered out of files of annotations. records.h makes records of them.
 *
 * An annotation is whatever fields a file gives it (seabot(7): label, labelled_by, track, ...), with a box or without.
 * Millions fit: fields are kept as packed bytes, 64 bytes and their own an annotation. */
#ifndef SB_ANNOTATION_ANNOTATED_H
#define SB_ANNOTATION_ANNOTATED_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/dictionary.h"
#include "base/progress.h"
#include "base/record.h"

struct sb_problems;

struct sb_annotation {
    double box[4]; /* x y w h, pixels of the picture */
    bool boxed;
    size_t at, size; /* its packed fields */
    size_t next;     /* number + 1 of the picture's next annotation; 0: it is the last */
};

struct sb_annotated {
    char *path;         /* where the picture lies; NULL where that is not known, or there is none */
    char *source;       /* as the file names it: without a leading "/" or "./" */
    double pts;         /* s; NAN: a picture, not a moment of a video */
    double time;        /* Unix s of a moment of which no more is known; NAN: a picture, or pts tells */
    char *also;         /* another name that its file may have, or NULL */
    char *url;          /* where it was published, or NULL */
    char *group;        /* or NULL */
    size_t at, size;    /* what is known of the picture itself: packed fields, or none */
    size_t first, last; /* numbers + 1 of its annotations */
};

/* A zeroed list is valid and empty. It owns what its items point to. */
struct sb_annotated_list {
    struct sb_annotated *item;
    size_t count, cap;
    struct sb_annotation *annotation;
    size_t annotations, annotations_cap;
    struct sb_buffer packed;
    struct sb_dictionary names; /* what tells pictures apart, in the order of items */
    size_t files;               /* files that were left out */
    size_t unusable;            /* annotations that say nothing that could be kept: sb_annotated_unusable() */
    size_t nameless;            /* annotations that name a class that the file does not have, or none */
    struct sb_counts *counts;   /* where what is left out is counted and listed; NULL: nowhere. The caller's. */
    struct sb_problems *problems;
};

/* The number of the picture, which is added if it is new. `pts` NAN: a picture. Backslashes, as Windows writes paths,
 * are slashes. -1 with a message if the name is empty or not UTF-8. */
int64_t sb_annotated_picture(struct sb_annotated_list *list, const char *source, double pts);
/* The same for a moment of a video of which the date alone is known. */
int64_t sb_annotated_moment(struct sb_annotated_list *list, const char *source, double time);
/* Whether it is a moment of a video: there is no picture to load. */
bool sb_annotated_is_moment(const struct sb_annotated *a);
/* What is known of the picture (time, lat, lon, depth, parent_size ...): copied, in place of what was. */
void sb_annotated_about(struct sb_annotated_list *list, size_t picture, const struct sb_record *fields);
/* Adds an annotation, whose fields are copied. `box` NULL: a point (field `points`), or the whole picture's. */
void sb_annotated_add(struct sb_annotated_list *list, size_t picture, const double *box,
                      const struct sb_record *fields);
/* Counts an annotation that is left out on purpose, `why` being static text: "rejected by a reviewer". */
void sb_annotated_skip(struct sb_annotated_list *list, const char *why);
/* Counts a file that is left out, and says so with its name and what is the matter, which may be "". */
void sb_annotated_skip_file(struct sb_annotated_list *list, const char *why, const char *name, const char *matter);
/* Counts an annotation that is left out, a row or an entry of `file`, and says why: "line 7: it has no box". */
void sb_annotated_unusable(struct sb_annotated_list *list, const char *file, const char *fmt, ...) SB_PRINTF(3, 4);
/* The fields that were packed, borrowed from the list; `out` is reset. */
void sb_annotated_fields(const struct sb_annotated_list *list, size_t at, size_t size, struct sb_record *out);
void sb_annotated_free(struct sb_annotated_list *list);

/* Four finite numbers with a positive width and height. */
bool sb_annotated_box_is_one(const double box[4]);

/* Sets `group` of each item to what the POSIX extended regular expression finds in its source: the first group in
 * parentheses, or all that matched. -1 with a message if one does not match, or the expression is wrong. */
int sb_annotated_group(struct sb_annotated_list *list, const char *regex);

/* Where the pictures lie: each that has no path gets that of the file below `folder` that is called as its source, or
 * as the longest end of it that is there ("dive7/a.png", "a.png"), or else `also` and its ends; what was found becomes
 * its source. Those that are not there keep path NULL. The number of them, or -1 with a message if two pictures turn
 * out to be the same file. */
int64_t sb_annotated_find(struct sb_annotated_list *list, const char *folder);

#endif
