#include "base/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/utf8.h"

enum { CELL_MOST = 60 };

void sb_table_add(struct sb_table *t, const char *fmt, ...)
{
    char *text;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0) sb_die("out of memory for a text");
    SB_GROW(t->cell, t->cap, t->count + 1);
    t->cell[t->count++] = text;
}

/* Prints, or with out == NULL only counts. */
size_t sb_text_print(FILE *out, const char *text, size_t size, size_t most)
{
    size_t shown = 0, at = 0, all = 0;
    for (size_t i = 0; i < size; all++) {
        size_t n = sb_utf8_length(text + i, size - i);
        i += n ? n : 1;
    }
    size_t limit = all > most && most > 3 ? most - 3 : all;
    for (; shown < limit; shown++) {
        size_t n = sb_utf8_length(text + at, size - at);
        unsigned char c = (unsigned char)text[at];
        bool control = n == 2 ? c == 0xc2 && (unsigned char)text[at + 1] < 0xa0 : n == 1 && (c < 0x20 || c == 0x7f);
        bool clean = n && !control;
        if (out && clean) fwrite(text + at, 1, n, out);
        if (out && !clean) putc('?', out);
        at += n ? n : 1;
    }
    if (limit < all) {
        if (out) fputs("...", out);
        shown += 3;
    }
    return shown;
}

void sb_table_print(const struct sb_table *t, FILE *out, int indent)
{
    size_t columns = strlen(t->align), width[16] = {0};
    for (size_t i = 0; i < t->count; i++) {
        size_t n = sb_text_print(NULL, t->cell[i], strlen(t->cell[i]), CELL_MOST);
        if (n > width[i % columns]) width[i % columns] = n;
    }
    for (size_t i = 0; i < t->count; i += columns) {
        size_t pending = (size_t)indent; /* blanks are printed only before text: no line ends in them */
        for (size_t c = 0; c < columns; c++) {
            const char *text = t->cell[i + c];
            size_t size = strlen(text), n = sb_text_print(NULL, text, size, CELL_MOST), blank = width[c] - n;
            if (t->align[c] == 'r') pending += blank;
            if (n) {
                fprintf(out, "%*s", (int)pending, "");
                sb_text_print(out, text, size, CELL_MOST);
                pending = 0;
            }
            pending += (t->align[c] == 'r' ? 0 : blank) + 2;
        }
        putc('\n', out);
    }
}

void sb_table_free(struct sb_table *t)
{
    for (size_t i = 0; i < t->count; i++) free(t->cell[i]);
    free(t->cell);
    memset(t, 0, sizeof *t);
}

const char *sb_size_text(double bytes, char buf[SB_SIZE_TEXT])
{
    static const char *const unit[] = {"kB", "MB", "GB", "TB", "PB"};
    double v = bytes / 1000;
    int i = 0;
    for (; v >= 1000 && i < 4; i++) v /= 1000;
    if (bytes < 1000) snprintf(buf, SB_SIZE_TEXT, "%.0f bytes", bytes);
    else snprintf(buf, SB_SIZE_TEXT, "%.1f %s", v, unit[i]);
    return buf;
}
