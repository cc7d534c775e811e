/* The side index of a stream's file (man/sb-stream.5): where each record begins, so that a file is read from record n on,
 * in parallel, or shuffled, without reading what lies before. "dive.sb" has it in "dive.sb.idx", itself a stream.
 *
 * It holds the file's size, count, trailer's hash and header's hash, so that an index which is no longer its file's is
 * noticed, and XXH3-64 of each record, so that whoever reads a part is as sure of it as whoever reads all. 16 bytes a
 * record, on disk and in memory. */
#ifndef SB_STREAM_INDEX_H
#define SB_STREAM_INDEX_H

#include "stream/stream.h"

struct sb_index {
    uint64_t count;
    uint64_t *offset; /* [count + 1] from the stream's first byte: where each record begins, and the trailer */
    uint64_t *check;  /* [count] XXH3-64 of each record's bytes */
    size_t offset_cap, check_cap;
    uint64_t header;  /* XXH3-64 of the header's bytes */
    char hash[33];    /* the trailer's */
};

/* Gathering, while a stream is read: begin after it was opened, add after each sb_reader_next() that gave a record. */
void sb_index_begin(struct sb_index *x, const struct sb_reader *in);
void sb_index_add(struct sb_index *x, const struct sb_reader *in);
/* Writes the index of a stream that was read to its verified end. -1 with a message if it is no file, or has no trailer. */
int sb_index_save(struct sb_index *x, const struct sb_reader *in, const struct sb_tool *tool, const struct sb_args *args);

/* The index of a file that was just opened. False if there is none, or if it is not the file's: the latter with a warning,
 * because the file can be read without. */
bool sb_index_load(struct sb_index *x, const struct sb_reader *in);
/* Whether these are the bytes of record i. */
bool sb_index_true(const struct sb_index *x, uint64_t i, const void *bytes, size_t size);
void sb_index_free(struct sb_index *x); /* leaves it empty, ready to be used again */

#endif
