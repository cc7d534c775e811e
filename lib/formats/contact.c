#include "formats/contact.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "formats/text.h"
#include "media/image.h"

void sb_contact_init(struct sb_contact *c, int across, int thumb, uint64_t max, const char *by)
{
    memset(c, 0, sizeof *c);
    sb_sheet_init(&c->sheet, across, thumb);
    c->max = max;
    c->by = by;
}

static void time_line(FILE *out, double pts)
{
    int64_t tenths = (int64_t)floor(pts * 10 + 1e-6);
    fprintf(out, "%" PRId64 ":%02d:%02d.%d\n", tenths / 36000, (int)(tenths / 600 % 60), (int)(tenths / 10 % 60),
            (int)(tenths % 10));
}

/* The lines under a picture, into the cell. -1 with a message. */
static int describe(struct sb_contact *c, struct sb_record *rec, enum sb_sheet_mark *mark)
{
    const char *label = "", *caption, *predicted = "";
    double pts, p;
    size_t label_size = 0, caption_size, predicted_size = 0;
    FILE *out = sb_cell_begin(&c->cell);
    int timed = sb_get_real(rec, "pts", &pts), has_label = sb_get_text(rec, "label", &label, &label_size);
    int captioned = sb_get_text(rec, "caption", &caption, &caption_size);
    int is_predicted = sb_cell_predicted(rec, &predicted, &predicted_size, &p);
    if (timed == 1 && pts >= 0 && pts < 1e9) time_line(out, pts);
    if (captioned == 1) {
        sb_text_utf8(out, caption, caption_size);
        putc('\n', out);
    }
    if (is_predicted == 1) {
        sb_cell_prediction(out, rec);
        putc('\n', out);
    }
    bool agree = label_size == predicted_size && !memcmp(label, predicted, label_size);
    *mark = has_label != 1 || is_predicted != 1 ? SB_SHEET_PLAIN : agree ? SB_SHEET_RIGHT : SB_SHEET_WRONG;
    if (has_label == 1 && *mark != SB_SHEET_RIGHT) {
        if (*mark == SB_SHEET_WRONG) fputs("is ", out);
        sb_text_utf8(out, label, label_size);
    }
    sb_cell_end(&c->cell);
    return timed < 0 || has_label < 0 || captioned < 0 || is_predicted < 0 ? -1 : 0;
}

static struct sb_sheet_part *part_of(struct sb_contact *c, struct sb_record *rec)
{
    if (!c->by) return sb_sheet_part(&c->sheet, "");
    int rc = sb_cell_text(&c->cell, rec, c->by);
    if (rc < 0) return NULL;
    char *heading = rc ? sb_format("%s %s", c->by, c->cell.text) : sb_format("no %s", c->by);
    struct sb_sheet_part *part = sb_sheet_part(&c->sheet, heading);
    free(heading);
    return part;
}

/* Where a row shows a cluster: how far the record is from its centroid. */
static int order_of(const struct sb_contact *c, const struct sb_record *rec, double *order)
{
    *order = 0;
    return c->by && !strcmp(c->by, "cluster") ? sb_get_real(rec, "distance", order) : 0;
}

int sb_contact_add(struct sb_contact *c, struct sb_record *rec)
{
    enum sb_sheet_mark mark;
    double order;
    struct sb_sheet_part *part = part_of(c, rec);
    if (!part || order_of(c, rec, &order) < 0) return -1;
    part->seen++;
    bool full = c->by && part->count >= (size_t)c->sheet.across;
    if (full ? order >= part->cell[part->count - 1].order : c->shown >= c->max) {
        c->left_out++;
        return 0;
    }
    int rc = sb_image_get(rec, "image", &c->picture);
    if (rc == 0) return sb_error("no field 'image'");
    if (full) sb_sheet_drop_last(part);
    if (rc < 0 || describe(c, rec, &mark) || sb_sheet_add(&c->sheet, part, &c->picture, c->cell.text, mark, order))
        return -1;
    if (full) c->left_out++;
    else c->shown++;
    return !full;
}

int sb_contact_png(struct sb_contact *c, struct sb_buffer *out)
{
    for (size_t i = 0; c->by && i < c->sheet.count; i++) {
        struct sb_sheet_part *part = &c->sheet.part[i];
        char *heading = sb_format("%s: %zu of %" PRIu64, part->heading, part->count, part->seen);
        free(part->heading);
        part->heading = heading;
    }
    if (c->shown == 0) return sb_error("no picture for the contact sheet: the stream has no records");
    return sb_sheet_draw(&c->sheet, &c->picture) || sb_png_encode(&c->picture, out) ? -1 : 0;
}

void sb_contact_free(struct sb_contact *c)
{
    sb_sheet_free(&c->sheet);
    sb_cell_free(&c->cell);
    sb_picture_free(&c->picture);
}
