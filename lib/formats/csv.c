#include "formats/csv.h"

#include <stdlib.h>
#include <string.h>

const char *const sb_csv_columns = "id,parent,source,time,pts,duration,lat,lon,depth,group,x,y,w,h,label,label_status,labelled_by,"
                                   "predicted_label,probability,caption,cluster,distance,split,fold,phash,duplicate_of";

void sb_csv_init(struct sb_csv *csv, const struct sb_texts *columns)
{
    memset(csv, 0, sizeof *csv);
    csv->columns = *columns;
    csv->seen = sb_calloc(columns->count + 1, sizeof *csv->seen);
}

void sb_csv_text(FILE *out, const char *s, size_t size)
{
    bool quote = false;
    for (size_t i = 0; i < size && !quote; i++) quote = strchr(",\"\r\n", s[i]) != NULL && s[i] != 0;
    if (!quote) {
        fwrite(s, 1, size, out);
        return;
    }
    putc('"', out);
    for (size_t i = 0; i < size; i++) {
        if (s[i] == '"') putc('"', out);
        putc(s[i], out);
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
        csv->seen[i] = csv->seen[i] || rc == 1;
    }
    fputs("\r\n", out);
    return 0;
}

void sb_csv_free(struct sb_csv *csv)
{
    sb_cell_free(&csv->cell);
    free(csv->seen);
    csv->seen = NULL;
}
