/* Records as a contact sheet: each picture with its time, caption, prediction and label; a green frame where prediction
 * and label agree, a red one where they do not. */
#ifndef SB_FORMATS_CONTACT_H
#define SB_FORMATS_CONTACT_H

#include "formats/cell.h"
#include "media/sheet.h"

struct sb_contact {
    struct sb_sheet sheet;
    const char
        *by; /* NULL, or the column whose values have a row each; a cluster's shows those nearest to its centroid */
    uint64_t max, shown, left_out;
    struct sb_cell cell;
    struct sb_picture picture;
};

/* Sheets of at most `max` pictures of `thumb` pixels, `across` in a row. */
void sb_contact_init(struct sb_contact *c, int across, int thumb, uint64_t max, const char *by);
/* 1 shown, 0 left out, itself or another in its place: the sheet, or its row, is full. -1 with a message. */
int sb_contact_add(struct sb_contact *c, struct sb_record *rec);
int sb_contact_png(struct sb_contact *c, struct sb_buffer *out); /* draws it; -1 with a message */
void sb_contact_free(struct sb_contact *c);

#endif
