/* What stands beside a folder of YOLO's label files: the names of classes, and which pictures are for what. */
#ifndef SB_ANNOTATION_YOLO_DATA_H
#define SB_ANNOTATION_YOLO_DATA_H

#include <stdbool.h>
#include <stdio.h>

#include "base/dictionary.h"
#include "base/opt.h"

enum { SB_YOLO_SPLITS = 3 }; /* train, val, test */

struct sb_yolo_data {
    char *root;            /* the folder that it is about */
    struct sb_texts names; /* text NULL: a number that has no name; owned */
    char *names_from;      /* the file that they stand in; NULL: none did */
    bool keypoints;        /* a line is a box and points in it, not an outline */
    struct sb_yolo_place { /* pictures below a folder are for one thing */
        char *folder;      /* below the root; "": all of them */
        int split;
    } * place;
    size_t places, places_cap;
    struct sb_dictionary listed; /* pictures that lists name, below the root, and what for, a bit a split */
    unsigned char *listed_for;
    size_t listed_cap;
};

/* `path` is a data.yaml, or a folder that may hold one (data.yaml, dataset.yaml, or one YAML file of any name). -1 with
 * a message: it can't be read or understood. The caller frees `d`, also after an error. */
int sb_yolo_data_read(struct sb_yolo_data *d, const char *path);
/* Takes the names from a file of them, one a line. -1 with a message if others are known already. */
int sb_yolo_data_names(struct sb_yolo_data *d, const char *path);
void sb_yolo_data_free(struct sb_yolo_data *d);

/* What a picture is for, whose path below the root is `below`: "train", or NULL where nothing or more than one thing is
 * said of it. */
const char *sb_yolo_data_split(const struct sb_yolo_data *d, const char *below);

/* Writes a data.yaml: the folders images/train, images/val and images/test of the splits that there are, or images for
 * all of it where there is none, and the classes in `order`. Other splits are not named. */
void sb_yolo_data_write(FILE *out, const struct sb_dictionary *splits, const struct sb_dictionary *classes,
                        const uint32_t *order);

#endif
