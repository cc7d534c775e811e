/* A table for a human reader: columns as wide as their widest cell, characters counted as UTF-8, control bytes and what
 * is no UTF-8 shown as '?', cells longer than 60 characters cut with "...". */
#ifndef SB_BASE_TABLE_H
#define SB_BASE_TABLE_H

#include <stddef.h>
#include <stdio.h>

struct sb_table {
    const char *align; /* a letter a column: "lrl", left or right */
    char **cell;       /* row after row */
    size_t count, cap;
};

/* Adds the next cell; printf's arguments. */
void sb_table_add(struct sb_table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void sb_table_print(const struct sb_table *t, FILE *out, int indent);
void sb_table_free(struct sb_table *t);

/* One text cleaned and cut like a cell; the number of characters printed. */
size_t sb_text_print(FILE *out, const char *text, size_t size, size_t most);

/* A number of bytes in units of 1000: "692.0 kB", "22.4 GB"; below that "812 bytes". Returns buf. */
#define SB_SIZE_TEXT 32
const char *sb_size_text(double bytes, char buf[SB_SIZE_TEXT]);

#endif
