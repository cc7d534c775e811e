/* An output file that appears only when it is whole: it is written to a temporary sibling, which close renames; after
 * any failure, SIGINT and SIGTERM included, the sibling is removed and an old file of that name is untouched. What is
 * not a regular file (a pipe, /dev/full) is written directly, so is standard output.
 *
 * Nothing returns an error: a failure to write ends the program with one line, a reader that has gone ends it quietly
 * with status 1. The caller owns the output until it closes it. */
#ifndef SB_BASE_OUTPUT_H
#define SB_BASE_OUTPUT_H

#include <stddef.h>
#include <stdio.h>
#include <sys/uio.h>

struct sb_output;

struct sb_output *sb_output_open(const char *path); /* NULL or "-": standard output */
/* Fails as open would, and leaves nothing behind: for a file that is written after hours of work. */
void sb_output_try(const char *path);
/* Removes what processes that were killed (SIGKILL, power) while they wrote this file have left beside it; for a path that
 * ends in '/', of any file in that folder. It reads the folder, so it is called once a run, not for each of many files. */
void sb_output_sweep(const char *path);
void sb_output_write(struct sb_output *o, const void *bytes, size_t size);
void sb_output_writev(struct sb_output *o, struct iovec *part, int count); /* part is used up */
const char *sb_output_name(const struct sb_output *o); /* for messages */
int sb_output_fd(const struct sb_output *o);
/* The path being written, for libraries that open files themselves; NULL for standard output. */
const char *sb_output_path(const struct sb_output *o);
/* Closes the file but leaves it under its temporary name until close: for many files that appear together. */
void sb_output_finish(struct sb_output *o);
void sb_output_close(struct sb_output *o); /* checks, renames, frees */

/* The same as a stdio stream: fclose() checks and renames; without it the file does not appear. It can seek if it is no
 * pipe. */
FILE *sb_output_stdio(const char *path);

#endif
