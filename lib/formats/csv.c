#include "formats/csv.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "formats/text.h"

const char *const sb_csv_columns =
    "id,parent,source,time,pts,duration,lat,lon,depth,group,x,y,w,h,label,label_status,labelled_by,"
    "predicted_label,probability,caption,cluster,distance,split,fold,phash,duplicate_of";

int sb_csv_init(struct sb_csv *csv, const char *columns)
{
    memset(csv, 0, sizeof *csv);
    sb_texts_split(columns, ',', &csv->columns);
    if (csv->columns.count == 0) return sb_error("no column is named");
    csv->seen = sb_calloc(csv->columns.count, sizeof *csv->seen);
    return 0;
}

/* Readers of tables take a NUL for the end of the text, or for a broken file; and a table is UTF-8 whatever a record's
 * text was. */
static void put_text(FILE *out, const char *s, size_t size)
{
    for (const char *end = s + size; s < end;) {
        const char *stop = memchr(s, 0, (size_t)(end - s));
        sb_text_utf8(out, s, (size_t)((stop ? stop : end) - s));
        if (stop) fputs(SB_UTF8_REPLACEMENT, out);
        s = stop ? stop + 1 : end;
    }
}

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

/* Blanks at either end are quoted, too: readers, ours as well, leave out those that are not. */
void sb_csv_text(FILE *out, const char *s, size_t size)
{
    bool quote = size && (is_blank(s[0]) || is_blank(s[size - 1]));
    for (size_t i = 0; i < size && !quote; i++) quote = s[i] && strchr(",\"\r\n", s[i]);
    if (!quote) {
        put_text(out, s, size);
        return;
    }
    putc('"', out);
    for (const char *end = s + size; s < end;) {
        const char *stop = memchr(s, '"', (size_t)(end - s));
        put_text(out, s, (size_t)((stop ? stop : end) - s));
        if (stop) fputs("\"\"", out);
        s = stop ? stop + 1 : end;
    }
    putc('"', out);
}

void sb_csv_head(const struct sb_csv *csv, FILE *out)
{
    for (size_t i = 0; i < csv->columns.count; i++) {
        if (i) putc(',', out);
        sb_csv_text(out, csv->columns.text[i], strlen(csv->columns.text[i]));
    }
    fputs("\r\n", out);
}

int sb_csv_write(struct sb_csv *csv, FILE *out, struct sb_record *rec)
{
    for (size_t i = 0; i < csv->columns.count; i++) {
        int rc = sb_cell_text(&csv->cell, rec, csv->columns.text[i]);
        if (rc < 0) return -1;
        if (i) putc(',', out);
        if (rc == 1) sb_csv_text(out, csv->cell.text, csv->cell.size);
        if (rc == 0 && csv->columns.count == 1) fputs("\"\"", out); /* an empty line would be no line */
        csv->seen[i] = csv->seen[i] || rc == 1;
    }
    fputs("\r\n", out);
    return 0;
}

void sb_csv_warn(const struct sb_csv *csv)
{
    for (size_t i = 0; i < csv->columns.count; i++) {
        if (!csv->seen[i]) sb_warn("column '%s': no record has it", csv->columns.text[i]);
    }
}

void sb_csv_count(uint64_t *rows)
{
    enum { SHEET = 1048576 }; /* rows of Excel's and LibreOffice's sheets, the titles' being one */
    if (++*rows == SHEET)
        sb_warn("a table of more than %d rows: spreadsheets leave out the rest; -o FOLDER/ gives each source a file, "
                "--by FIELD each value of a field",
                SHEET);
}

void sb_csv_free(struct sb_csv *csv)
{
    for (size_t i = 0; i < csv->columns.count; i++) free((char *)csv->columns.text[i]);
    free(csv->columns.text);
    free(csv->seen);
    sb_cell_free(&csv->cell);
    memset(csv, 0, sizeof *csv);
}
