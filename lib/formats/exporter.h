/* What a format of sb-export is: a table of functions that write records as something that is no stream.
 * tools/sb-export.c lists the formats, opens the outputs, and makes them appear when the stream has turned out to be
 * whole.
 *
 * `run` is the format's memory for all of a run, `output` for one file; both are zeroed, and freed after close() and
 * end(). Functions that may be NULL say so. int functions return -1 with a message. Whether writing to `out` worked is
 * sb-export's to ask. */
#ifndef SB_FORMATS_EXPORTER_H
#define SB_FORMATS_EXPORTER_H

#include <stdbool.h>
#include <stdio.h>

#include "base/progress.h"
#include "base/record.h"

/* What sb-export's options say; NULL or 0 where one is not given. A format names those that it takes. */
struct sb_export_options {
    const char *folder; /* of a format that writes a folder: it is there, and ends in no slash */
    const char *columns, *text, *by, *field, *format, *name;
    int64_t across, thumb, max;
    const char *dataset;      /* a COCO file */
    const char *dataset_name; /* what a publication is called */
    const char *taxa;         /* a table of labels, scientific names and AphiaIDs */
    const char *url_prefix;   /* of pictures that say no address */
    bool segments, confidence;
    double fps;               /* of the videos */
    double least;             /* --min-prob: a machine's name below it is left out */
    struct sb_counts *counts; /* where a format counts what it leaves out for reasons of its own */
};

struct sb_exporter {
    const char *name, *suffix; /* "csv", ".csv" */
    const char *summary;       /* "a CSV table" */
    const char *options;       /* which it takes: "columns,by"; "" */
    const char *left_out;      /* why write() gave 0: "without text"; NULL: it never does, or counts it itself */
    bool is_text;              /* fit for a terminal */
    bool by_source;            /* one file can't hold two sources */
    bool by_any;    /* --by is sb-export's: the field whose values have a file each in a folder, in place of source */
    bool is_folder; /* it writes files of its own below options->folder: out is NULL, and there is one output */
    size_t run_size, output_size;
    int (*open)(void *run, const struct sb_export_options *o, const struct sb_record *header); /* may be NULL */
    /* May be NULL. `path` is where the file will appear; NULL: standard output. */
    int (*begin)(void *run, void *output, FILE *out, const char *path);
    int (*write)(void *run, void *output, FILE *out, struct sb_record *rec); /* 1; 0: nothing of it is shown */
    int (*end)(void *run, void *output, FILE *out);                          /* may be NULL; frees what output holds */
    int (*close)(void *run, uint64_t records);                               /* may be NULL; frees what run holds */
};

/* Of annotations, in lib/annotation/NAME_write.c. */
extern const struct sb_exporter sb_export_coco;
extern const struct sb_exporter sb_export_coco_results;
extern const struct sb_exporter sb_export_viame;
extern const struct sb_exporter sb_export_fathomnet;
extern const struct sb_exporter sb_export_biigle;
extern const struct sb_exporter sb_export_yolo;
extern const struct sb_exporter sb_export_darwin_core;
extern const struct sb_exporter sb_export_jsonl, sb_export_csv, sb_export_vtt, sb_export_srt, sb_export_contact,
    sb_export_png, sb_export_manifest, sb_export_npy;

#endif
