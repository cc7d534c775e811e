/* What a person names on a command line as footage: videos, pictures, folders of both. */
#ifndef SB_MEDIA_INPUTS_H
#define SB_MEDIA_INPUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct sb_input {
    char *path;        /* can be opened, or a URL */
    char *source;      /* the record's: below the folder or root that was named, else the base name */
    const char *group; /* of all its records; NULL: a video's is its source, pictures have none. Nothing here sets it */
    bool picture;      /* a JPEG or PNG, by its first bytes */
};

struct sb_inputs {
    struct sb_input *item;
    size_t count, cap;
    uint64_t other; /* files found in folders that are neither video nor picture */
};

/* Adds a file, a URL, or all footage below a folder, in sorted order. "-" is standard input. `root` (may be NULL) is
 * the folder below which sources are told; `source` (may be NULL) replaces a single file's. 0, or -1 with a message. */
int sb_inputs_add(struct sb_inputs *in, const char *operand, const char *root, const char *source);
/* Adds what a list names, each name ended by a NUL, as find -print0 writes it. */
int sb_inputs_add_list(struct sb_inputs *in, FILE *list, const char *root);
void sb_inputs_free(struct sb_inputs *in);

#endif
