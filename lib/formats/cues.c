#include "formats/cues.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/utf8.h"

#define LAST_SHOWN 1.0     /* s that the last text stands for if nothing says so */
#define LATEST 360000000.0 /* s: 100,000 hours */

static void time_write(const struct sb_cues *cues, int64_t ms)
{
    fprintf(cues->out, "%02lld:%02d:%02d%c%03d", (long long)(ms / 3600000), (int)(ms / 60000 % 60),
            (int)(ms / 1000 % 60), cues->style == SB_CUES_SRT ? ',' : '.', (int)(ms % 1000));
}

/* SubRip is a format of Windows: its lines end in CR LF. */
static void lines_write(const struct sb_cues *cues, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\n' && cues->style == SB_CUES_SRT) putc('\r', cues->out);
        putc(text[i], cues->out);
    }
}

static void cue_write(struct sb_cues *cues)
{
    if (!cues->has_cue) return;
    const char *end = cues->style == SB_CUES_SRT ? "\r\n" : "\n";
    if (cues->style == SB_CUES_SRT) fprintf(cues->out, "%" PRIu64 "%s", ++cues->number, end);
    time_write(cues, cues->start);
    fputs(" --> ", cues->out);
    time_write(cues, cues->end);
    fputs(end, cues->out);
    lines_write(cues, (const char *)cues->cue.data, cues->cue.size);
    fprintf(cues->out, "%s%s", end, end);
    cues->has_cue = false;
}

/* The moment is over: it prolongs the cue, or the cue is written and the moment begins a new one. */
static void moment_close(struct sb_cues *cues, double next)
{
    if (!cues->has_moment) return;
    cues->has_moment = false;
    if (cues->now.size == 0) return;
    double until = cues->duration > 0 ? cues->pts + cues->duration : isnan(next) ? cues->pts + LAST_SHOWN : next;
    if (next < until) until = next;
    int64_t start = llround(cues->pts * 1000), end = llround(until * 1000);
    if (end <= start) end = start + 1; /* a cue must last */
    bool same =
        cues->has_cue && cues->cue.size == cues->now.size && !memcmp(cues->cue.data, cues->now.data, cues->now.size);
    if (same && start <= cues->end + 1) {
        cues->end = end;
        return;
    }
    cue_write(cues);
    cues->has_cue = true;
    cues->start = start;
    cues->end = end;
    cues->cue.size = 0;
    sb_buffer_add(&cues->cue, cues->now.data, cues->now.size);
}

static void add_text(struct sb_buffer *b, const char *text) { sb_buffer_add(b, text, strlen(text)); }

/* What stands for a character in WebVTT. Escaping '>' keeps "-->" out. */
static const char *vtt_escape(char c) { return c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : NULL; }

/* SubRip has no escapes: what players take for a tag, or for the line of times, begins with a character that looks
 * alike. */
static const char *srt_escape(const char *text, size_t size)
{
    char next = size > 1 ? text[1] : 0;
    if (text[0] == '<' && (isalpha((unsigned char)next) || next == '/')) return "\u2039";
    if (text[0] == '{' && (next == '\\' || (size > 2 && isalpha((unsigned char)next) && text[2] == ':'))) return "(";
    if (text[0] == '-' && size > 2 && text[1] == '-' && text[2] == '>') return "\u2013";
    return NULL;
}

/* A line of cue text. An empty line would end the cue, so line breaks are blanks. */
static void add_line(const struct sb_cues *cues, struct sb_buffer *b, const char *text, size_t size)
{
    for (size_t i = 0; i < size;) {
        size_t n = sb_utf8_length(text + i, size - i);
        unsigned char c = (unsigned char)text[i];
        const char *escape = cues->style == SB_CUES_SRT ? srt_escape(text + i, size - i) : vtt_escape(text[i]);
        if (n == 0 || c == 0) {
            add_text(b, SB_UTF8_REPLACEMENT);
        } else if (escape) {
            add_text(b, escape);
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

void sb_cues_begin(struct sb_cues *cues, FILE *out, enum sb_cue_style style)
{
    memset(cues, 0, sizeof *cues);
    cues->out = out;
    cues->style = style;
    if (style == SB_CUES_VTT) fputs("WEBVTT\n\n", out);
}

int sb_cues_add(struct sb_cues *cues, double pts, double duration, const char *text, size_t size)
{
    if (!(pts >= 0 && pts <= LATEST)) return sb_error("pts %g is no time of a subtitle", pts);
    if (cues->has_moment && pts < cues->pts)
        return sb_error("pts %g comes after %g: subtitles need records in order of time", pts, cues->pts);
    if (!cues->has_moment || pts > cues->pts) {
        moment_close(cues, pts);
        cues->has_moment = true;
        cues->pts = pts;
        cues->duration = 0;
        cues->now.size = 0;
    }
    if (duration > cues->duration && duration <= LATEST) cues->duration = duration;
    while (size > 0 && strchr(" \t\r\n", text[0]) && text[0]) text++, size--;
    while (size > 0 && strchr(" \t\r\n", text[size - 1]) && text[size - 1]) size--;
    if (size == 0) return 0;
    struct sb_buffer line = {0};
    add_line(cues, &line, text, size);
    if (!has_line(&cues->now, line.data, line.size)) {
        if (cues->now.size) add_text(&cues->now, "\n");
        sb_buffer_add(&cues->now, line.data, line.size);
    }
    free(line.data);
    return 1;
}

int sb_cues_record(struct sb_cues *cues, struct sb_record *rec, const char *column, struct sb_cell *cell)
{
    double pts, duration = 0;
    int rc = sb_get_real(rec, "pts", &pts);
    if (rc == 0) return sb_error("no field 'pts': subtitles need times");
    if (rc < 0 || sb_get_real(rec, "duration", &duration) < 0) return -1;
    int said = sb_cell_words(cell, rec, column);
    return said < 0 ? -1 : sb_cues_add(cues, pts, duration, cell->text, said ? cell->size : 0);
}

void sb_cues_end(struct sb_cues *cues)
{
    moment_close(cues, NAN);
    cue_write(cues);
}

void sb_cues_free(struct sb_cues *cues)
{
    free(cues->now.data);
    free(cues->cue.data);
    memset(cues, 0, sizeof *cues);
}
