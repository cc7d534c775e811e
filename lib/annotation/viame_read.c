/* VIAME's CSV, as VIAME and DIVE write it (VIAME's manual, "Detection File Formats"; DIVE, "Data Formats"). No titles:
 *
 *   1 id            track
 *   2 identifier    source; or a time of day in a video, whose name the file does not know
 *   3 frame from 0  frame, and of a video pts = frame / fps
 *   4-7 TL BR       box: x, y, BR_x - TL_x, BR_y - TL_y, for BR is an edge, not the last pixel (a bounding_box_d). To
 *                   write it back, give the shortest text of TL, and that of BR whose difference is w again
 *   8 confidence    confidence; -1, "not known", is none
 *   9 length        length, where it is positive; else none (write -1)
 *   10, 11 ...      predicted, every pair, best first; and the best one's name is label: who said it, a person or a
 *                   program, the file does not tell
 *   (atr) n v       attributes: {n: v}; (trk-atr): track_attributes; their text as it is
 *   (kp) n x y      keypoints: {n: [x, y]}
 *   (note) text     note
 *   (poly) x y ...  shape Polygon, points
 *   else            viame: a list of such cells as they are: second polygons, holes, masks, what is not understood
 *
 * Lines that begin with # are comments, but for the one that begins "# metadata": its "fps: 30" (field fps). */

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "annotation/format.h"
#include "annotation/endings.h"
#include "annotation/viame_cells.h"
#include "base/seconds.h"

enum { ID, IDENTIFIER, FRAME, BOX, CONFIDENCE = 7, LENGTH };

struct reading {
    const char *path;
    const struct sb_annotation_options *o;
    struct sb_annotated_list *list;
    char *video; /* what a video is called that the file does not name */
    double fps;  /* 0: not known */
    bool begun;  /* past the first row that is no comment */
    bool warned; /* of a video without a name */
    struct sb_record fields;
    struct sb_viame_cells cells;
    int64_t *frame; /* [frames]: of pictures whose name does not tell that they are pictures, the frame; -1 */
    size_t frames, frames_cap;
};

/* ---- comments ---- */

static void read_comment(struct reading *r, const struct sb_csv_row *row)
{
    for (size_t i = 0; i < row->count && r->o->fps == 0; i++) {
        const char *cell = row->cell[i], *colon = strchr(cell, ':');
        char *end;
        if (!colon || colon - cell != 3 || strncasecmp(cell, "fps", 3)) continue;
        double fps = strtod(colon + 1, &end);
        while (*end == ' ') end++;
        if (!*end && fps >= 0.001 && fps <= 100000) r->fps = fps;
    }
}

/* ---- of which picture, of which moment ---- */

/* 00:01:02.033, as DIVE writes it. */
static bool is_time(const char *text, double *seconds)
{
    return strchr(text, ':') && strspn(text, "0123456789:.") == strlen(text) && sb_seconds_parse(text, seconds) == 0;
}

/* A name that could be a video's, with several frames, is no picture. -1 with a message. */
static int check_frame(struct reading *r, const struct sb_csv_row *row, size_t picture, int64_t frame)
{
    SB_GROW(r->frame, r->frames_cap, picture + 1);
    while (r->frames <= picture) r->frame[r->frames++] = -1;
    if (r->frame[picture] < 0) r->frame[picture] = frame;
    if (r->frame[picture] == frame || frame < 0) return 0;
    return sb_error("line %" PRIu64 ": '%.100s' has more than one frame, so it is no picture: --fps says how many a "
                    "second has",
                    row->line, row->cell[IDENTIFIER]);
}

/* The number of what the row is of. -1 with a message: nothing can be read; -2: the row can't. */
static int64_t find_picture(struct reading *r, const struct sb_csv_row *row, int64_t frame)
{
    const char *name = row->cell[IDENTIFIER];
    double seconds = NAN;
    bool nameless = !*name || is_time(name, &seconds);
    bool video = r->o->source || nameless || sb_names_video(name) || (r->fps > 0 && !sb_names_picture(name));
    if (!video) {
        int64_t picture = sb_annotated_picture(r->list, name, NAN);
        bool known = picture < 0 || sb_names_picture(name);
        return known || !check_frame(r, row, (size_t)picture, frame) ? picture : -1;
    }
    if (r->fps == 0 && isnan(seconds))
        return sb_error("line %" PRIu64 ": frames of a video, and not how many a second has: --fps says it", row->line);
    if (r->fps > 0) {
        if (frame < 0) return -2;
        seconds = (double)frame / r->fps;
    }
    if (nameless && !r->o->source && !r->warned)
        sb_warn("%s: it does not name its video, which is called '%s' now: --source names it", r->path, r->video);
    r->warned = r->warned || nameless;
    return sb_annotated_picture(r->list, r->o->source || nameless ? r->video : name, seconds);
}

/* ---- rows ---- */

static bool read_box(const struct sb_csv_row *row, double box[4])
{
    double corner[4];
    for (int i = 0; i < 4; i++)
        if ((size_t)(BOX + i) >= row->count || !sb_viame_number(row->cell[BOX + i], &corner[i])) return false;
    box[0] = corner[0];
    box[1] = corner[1];
    box[2] = corner[2] - corner[0];
    box[3] = corner[3] - corner[1];
    return true;
}

static void read_fields(struct reading *r, const struct sb_csv_row *row, int64_t frame)
{
    double v;
    sb_record_reset(&r->fields);
    if (*row->cell[ID]) sb_set_cstr(&r->fields, "track", row->cell[ID]);
    if (frame >= 0) sb_set_int(&r->fields, "frame", frame);
    if (sb_viame_number(row->cell[CONFIDENCE], &v) && v != -1) sb_set_real(&r->fields, "confidence", v);
    if (sb_viame_number(row->cell[LENGTH], &v) && v > 0) sb_set_real(&r->fields, "length", v);
    sb_viame_cells_read(&r->cells, row, &r->fields);
}

static int64_t read_frame(const char *text)
{
    double v;
    return sb_viame_number(text, &v) && v >= 0 && v <= 1e9 && v == floor(v) ? (int64_t)v : -1;
}

static int each_row(void *arg, const struct sb_csv_row *row)
{
    struct reading *r = arg;
    double box[4];
    if (*row->cell[0] == '#') {
        read_comment(r, row);
        return 0;
    }
    bool shaped = row->count >= SB_VIAME_PAIRS && read_box(row, box), first = !r->begun;
    r->begun = true;
    if (first && !shaped)
        return sb_error("line %" PRIu64 ": not VIAME's CSV: nine cells, 4 to 7 being a box", row->line);
    if (!shaped || !sb_annotated_box_is_one(box)) {
        sb_annotated_unusable(r->list, r->path, "line %" PRIu64 ": %s", row->line,
                              shaped ? "its box has no area" : "it has no box");
        return 0;
    }
    if (sb_csv_row_utf8(row)) return -1;
    int64_t frame = read_frame(row->cell[FRAME]), picture = find_picture(r, row, frame);
    if (picture == -2) sb_annotated_unusable(r->list, r->path, "line %" PRIu64 ": it has no frame's number", row->line);
    if (picture < 0) return picture == -2 ? 0 : -1;
    read_fields(r, row, frame);
    if (!isnan(r->list->item[picture].pts) && r->fps > 0) sb_set_real(&r->fields, "fps", r->fps);
    sb_annotated_add(r->list, (size_t)picture, box, &r->fields);
    return 0;
}

static int read_viame(const char *path, const struct sb_annotation_options *o, struct sb_annotated_list *list)
{
    struct reading r = {.path = path, .o = o, .list = list, .fps = o->fps, .video = sb_annotation_video(path, o)};
    int rc = sb_csv_load(path, each_row, &r);
    sb_viame_cells_free(&r.cells);
    sb_record_free(&r.fields);
    free(r.frame);
    free(r.video);
    return rc;
}

const struct sb_annotation_format sb_viame = {
    "viame", "FILE.csv...", "VIAME's CSV, of pictures or of a video", "images,whole,source,fps", false,
    false,   read_viame};
