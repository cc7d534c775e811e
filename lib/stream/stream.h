/* The SeaBot stream: header, records, trailer (man/sb-stream.5).
 *
 * The reader checks everything before it allocates anything, verifies the trailer, and gives records that borrow its
 * buffer. The writer adds this program's line to the history, and a trailer only when it is closed well. */
#ifndef SB_STREAM_STREAM_H
#define SB_STREAM_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/opt.h"
#include "base/record.h"
#include "stream/range.h"

#define SB_RECORD_MAX (100u << 20) /* bytes; Python's Unpacker stops there */

struct sb_reader;
struct sb_writer;

/* path "-" or NULL: stdin. NULL with a message if it can't be opened or its start is not a stream. Empty input is an
 * error. Without a header (a foreign stream) one warning says that its end can't be checked. */
struct sb_reader *sb_reader_open(const char *path);
const struct sb_record *sb_reader_header(const struct sb_reader *r); /* empty for a foreign stream */
const char *sb_reader_name(const struct sb_reader *r);               /* for messages: "dive.sb", "standard input" */
/* 1: a record, valid until the next call. 0: the verified end. -1: broken, with a message
 * ("dive.sb: stream cut off after 812 records"). */
int sb_reader_next(struct sb_reader *r, struct sb_record *rec);
/* The record that was read last no longer borrows from the reader. The bytes of a large one are not copied: its memory
 * and the reader's change places. */
void sb_reader_keep(struct sb_reader *r, struct sb_record *rec);
uint64_t sb_reader_count(const struct sb_reader *r);  /* records so far */
uint64_t sb_reader_offset(const struct sb_reader *r); /* bytes so far: where the next object starts */
bool sb_reader_verified(const struct sb_reader *r); /* a trailer was read and was true */
/* `idle` is called before a read that would block: flush output there, so that a live pipe keeps moving. */
void sb_reader_idle(struct sb_reader *r, void (*idle)(void *arg), void *arg);
void sb_reader_close(struct sb_reader *r);

/* Seeking, for programs that need the whole stream: see spool.h. */

/* path NULL or "-": stdout. A file is written as a temporary sibling and renamed by close; every failure to write ends
 * the program with one line (EPIPE: quietly, status 1). */
struct sb_writer *sb_writer_open(const char *path);
/* Records are written without these fields (comma-separated; NULL: all are). The header keeps its own. */
void sb_writer_drop(struct sb_writer *w, const char *fields);
bool sb_writer_drops(const struct sb_writer *w, const char *field);
/* Put and flush may be called from different threads. */
/* Copies `header` (may be NULL) and appends {"tool","version","args","files"} to its history. Once, first. */
void sb_writer_header(struct sb_writer *w, const struct sb_record *header, const struct sb_tool *tool,
                      const struct sb_args *args);
/* The same with the histories of further inputs, whose headers these are (history.h). */
void sb_writer_header_joined(struct sb_writer *w, const struct sb_record *header, const struct sb_record *const *input,
                             size_t inputs, const struct sb_tool *tool, const struct sb_args *args);
void sb_writer_put(struct sb_writer *w, const struct sb_record *rec);
void sb_writer_flush(struct sb_writer *w);
uint64_t sb_writer_bytes(const struct sb_writer *w); /* put so far */
uint64_t sb_writer_close(struct sb_writer *w); /* trailer, flush, rename, checked close; the bytes of it all */

/* A filter: input, output, history, --drop and counts in one. All of it dies with one line on failure. */
#include "base/progress.h"
struct sb_spool;
struct sb_filter {
    struct sb_reader *in;   /* NULL where the whole stream was taken first */
    struct sb_spool *whole; /* then this, else NULL */
    uint64_t at;            /* number, from 1, of the record that sb_filter_die() speaks of; set by
                             * sb_filter_next(); 0: the last that was read */
    struct sb_writer *out;
    struct sb_range range; /* what sb_filter_range() was asked for; to 0: all */
    struct sb_record header; /* a copy of the input's, to be changed before sb_filter_start() */
    const struct sb_record *const *input; /* headers of further inputs, whose histories sb_filter_start() adds */
    size_t inputs;
    struct sb_counts counts;
};

/* Opens operand 0 (or stdin) and the output. */
void sb_filter_open(struct sb_filter *f, const struct sb_args *args, const char *output, const char *drop);
/* The same for a program that needs the whole stream first (spool.h, which explains `each`); sb_filter_next() then goes
 * through it, again after sb_filter_rewind(). */
void sb_filter_open_whole(struct sb_filter *f, const struct sb_args *args, const char *output, const char *drop,
                          void (*each)(void *arg, uint64_t index, struct sb_record *rec), void *arg);
void sb_filter_rewind(struct sb_filter *f);
/* Only these records from here on; of a file with an index (index.h) nothing that lies before them is read. */
void sb_filter_range(struct sb_filter *f, struct sb_range range);
/* Writes the header. */
void sb_filter_start(struct sb_filter *f, const struct sb_tool *tool, const struct sb_args *args);
bool sb_filter_next(struct sb_filter *f, struct sb_record *rec); /* flushes the output before a read that would block */
void sb_filter_keep(struct sb_filter *f, struct sb_record *rec); /* as sb_reader_keep() */
void sb_filter_put(struct sb_filter *f, struct sb_record *rec);  /* writes, without --drop's fields, and counts */
void sb_filter_close(struct sb_filter *f);                       /* trailer, counts on stderr */
/* "dive.sb: record 12 (id 3f...): message" and exit 1; for a record that lacks what the program needs. */
_Noreturn void sb_filter_die(const struct sb_filter *f, const struct sb_record *rec, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
