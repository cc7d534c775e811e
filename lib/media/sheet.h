/* A contact sheet: small pictures in rows, each with a few lines of text under it. */
#ifndef SB_MEDIA_SHEET_H
#define SB_MEDIA_SHEET_H

#include "media/picture.h"

enum sb_sheet_mark { SB_SHEET_PLAIN, SB_SHEET_RIGHT, SB_SHEET_WRONG }; /* no frame, a green one, a red one */

struct sb_sheet_cell {
    struct sb_picture picture;
    char *text;
    enum sb_sheet_mark mark;
    double order;
};

/* A run of cells under a heading; "" stands for none. Cells lie by their order, upwards. */
struct sb_sheet_part {
    char *heading;
    struct sb_sheet_cell *cell;
    size_t count, cap;
    uint64_t seen; /* records that belong here, shown or not: the caller counts */
};

struct sb_sheet {
    int across, thumb; /* cells in a row; pixels of a thumbnail's side */
    struct sb_sheet_part *part;
    size_t count, cap;
};

void sb_sheet_init(struct sb_sheet *s, int across, int thumb);
/* The part with this heading, made if need be; valid until the next call. */
struct sb_sheet_part *sb_sheet_part(struct sb_sheet *s, const char *heading);
/* Adds a cell, behind those of the same order: the picture is scaled to fit; the lines of the text (UTF-8) are wrapped
 * to its width. 0, or -1 with a message. */
int sb_sheet_add(const struct sb_sheet *s, struct sb_sheet_part *part, const struct sb_picture *picture,
                 const char *text, enum sb_sheet_mark mark, double order);
void sb_sheet_drop_last(struct sb_sheet_part *part);
/* Draws all parts, sorted by heading as a person sorts (2 before 10). -1 with a message if the sheet would be too
 * large. */
int sb_sheet_draw(struct sb_sheet *s, struct sb_picture *out);
void sb_sheet_free(struct sb_sheet *s);

#endif
