#include "formats/vtt.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/utf8.h"

#define LAST_SHOWN 1.0     /* s that the last text stands for if nothing says so */
#define LATEST 360000000.0 /* s: 100,000 hours */

static void time_write(FILE *out, int64_t ms)
{
    fprintf(out, "%02lld:%02d:%02d.%03d", (long long)(ms / 3600000), (int)(ms / 60000 % 60), (int)(ms / 1000 % 60),
            (int)(ms % 1000));
}

static void cue_write(struct sb_vtt *vtt)
{
    if (!vtt->has_cue) return;
    time_write(vtt->out, vtt->start);
    fputs(" --> ", vtt->out);
    time_write(vtt->out, vtt->end);
    fprintf(vtt->out, "\n%.*s\n\n", (int)vtt->cue.size, (const char *)vtt->cue.data);
    vtt->has_cue = false;
}

/* The moment is over: it prolongs the cue, or the cue is written and the moment begins a new one. */
static void moment_close(struct sb_vtt *vtt, double next)
{
    if (!vtt->has_moment) return;
    vtt->has_moment = false;
    if (vtt->now.size == 0) return;
    double until = vtt->duration > 0 ? vtt->pts + vtt->duration : isnan(next) ? vtt->pts + LAST_SHOWN : next;
    if (next < until) until = next;
    int64_t start = llround(vtt->pts * 1000), end = llround(until * 1000);
    if (end <= start) end = start + 1; /* a cue must last */
    bool same = vtt->has_cue && vtt->cue.size == vtt->now.size && !memcmp(vtt->cue.data, vtt->now.data, vtt->now.size);
    if (same && start <= vtt->end + 1) {
        vtt->end = end;
        return;
    }
    cue_write(vtt);
    vtt->has_cue = true;
    vtt->start = start;
    vtt->end = end;
    vtt->cue.size = 0;
    sb_buffer_add(&vtt->cue, vtt->now.data, vtt->now.size);
}

static void add_text(struct sb_buffer *b, const char *text) { sb_buffer_add(b, text, strlen(text)); }

/* A line of cue text. Escaping '>' keeps "-->" out; an empty line would end the cue, so line breaks are blanks. */
static void add_line(struct sb_buffer *b, const char *text, size_t size)
{
    for (size_t i = 0; i < size;) {
        size_t n = sb_utf8_length(text + i, size - i);
        unsigned char c = (unsigned char)text[i];
        if (n == 0 || c == 0) {
            add_text(b, SB_UTF8_REPLACEMENT);
        } else if (c == '&') {
            add_text(b, "&amp;");
        } else if (c == '<') {
            add_text(b, "&lt;");
        } else if (c == '>') {
            add_text(b, "&gt;");
        } else if (c < 0x20 || c == 0x7f) {
            add_text(b, " ");
        } else {
            sb_buffer_add(b, text + i, n);
        }
        i += n ? n : 1;
    }
}

static bool has_line(const struct sb_buffer *b, const uint8_t *line, size_t size)
{
    for (size_t at = 0; at < b->size;) {
        const uint8_t *stop = memchr(b->data + at, '\n', b->size - at);
        size_t length = stop ? (size_t)(stop - b->data) - at : b->size - at;
        if (length == size && !memcmp(b->data + at, line, size)) return true;
        at += length + 1;
    }
    return false;
}

void sb_vtt_begin(struct sb_vtt *vtt, FILE *out)
{
    memset(vtt, 0, sizeof *vtt);
    vtt->out = out;
    fputs("WEBVTT\n\n", out);
}

int sb_vtt_add(struct sb_vtt *vtt, double pts, double duration, const char *text, size_t size)
{
    if (!(pts >= 0 && pts <= LATEST)) return sb_error("pts %g is no time of a subtitle", pts);
    if (vtt->has_moment && pts < vtt->pts)
        return sb_error("pts %g comes after %g: subtitles need records in order of time", pts, vtt->pts);
    if (!vtt->has_moment || pts > vtt->pts) {
        moment_close(vtt, pts);
        vtt->has_moment = true;
        vtt->pts = pts;
        vtt->duration = 0;
        vtt->now.size = 0;
    }
    if (duration > vtt->duration && duration <= LATEST) vtt->duration = duration;
    while (size > 0 && strchr(" \t\r\n", text[0]) && text[0]) text++, size--;
    while (size > 0 && strchr(" \t\r\n", text[size - 1]) && text[size - 1]) size--;
    if (size == 0) return 0;
    struct sb_buffer line = {0};
    add_line(&line, text, size);
    if (!has_line(&vtt->now, line.data, line.size)) {
        if (vtt->now.size) add_text(&vtt->now, "\n");
        sb_buffer_add(&vtt->now, line.data, line.size);
    }
    free(line.data);
    return 0;
}

int sb_vtt_record(struct sb_vtt *vtt, struct sb_record *rec, const char *column, struct sb_cell *cell)
{
    double pts, duration = 0;
    int rc = sb_get_real(rec, "pts", &pts);
    if (rc == 0) return sb_error("no field 'pts': subtitles need times");
    if (rc < 0 || sb_get_real(rec, "duration", &duration) < 0) return -1;
    int said = sb_cell_words(cell, rec, column);
    if (said < 0 || sb_vtt_add(vtt, pts, duration, cell->text, said ? cell->size : 0)) return -1;
    return said && cell->size > 0;
}

void sb_vtt_end(struct sb_vtt *vtt)
{
    moment_close(vtt, NAN);
    cue_write(vtt);
}

void sb_vtt_free(struct sb_vtt *vtt)
{
    free(vtt->now.data);
    free(vtt->cue.data);
    memset(vtt, 0, sizeof *vtt);
}
