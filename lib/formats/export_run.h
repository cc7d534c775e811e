/* A run of sb-export: which file a record goes to, and what appears when the stream has turned out to be whole. */
#ifndef SB_FORMATS_EXPORT_RUN_H
#define SB_FORMATS_EXPORT_RUN_H

#include "base/dictionary.h"
#include "formats/cell.h"
#include "formats/exporter.h"

/* One file, or standard output. */
struct sb_export_output {
    void *memory; /* the format's */
    FILE *out;
    char *path; /* NULL: standard output */
};

struct sb_export_run {
    const struct sb_exporter *format;
    struct sb_export_options options;
    const char *path;                /* as -o gave it; NULL: standard output */
    struct sb_record header;         /* of the stream, this program's step included: what X.history.json holds */
    bool split;                      /* a file for each source, or value of --by, in the folder `path` */
    void *memory;                    /* the format's */
    struct sb_export_output *output; /* [outputs] */
    size_t outputs, cap;
    struct sb_dictionary values, names;
    struct sb_cell cell;
};

/* Begins to write to what r->path, r->format and r->options say. Ends the program where that can't be. */
void sb_export_open(struct sb_export_run *r);
int sb_export_write(struct sb_export_run *r,
                    struct sb_record *rec);    /* 1; 0: nothing of it is shown; -1 with a message */
void sb_export_flush(struct sb_export_run *r); /* what is written to one place, so that a live pipe keeps moving */
/* All files appear, with X.history.json beside each. `records` is the number that came in. Frees. */
void sb_export_close(struct sb_export_run *r, uint64_t records);

#endif
