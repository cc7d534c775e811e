/* sb-check: is this stream whole, and what does it hold? */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/output.h"
#include "base/table.h"
#include "stream/describe.h"
#include "stream/index.h"
#include "stream/spool.h"

static bool verbose, indexing;
static const char *records;
static struct sb_range range;
static FILE *out; /* standard output; a failure to write it ends the program with one line */

static void print_size(uint64_t bytes)
{
    char text[SB_SIZE_TEXT];
    fprintf(out, "%" PRIu64 " bytes", bytes);
    if (bytes >= 1000) fprintf(out, " (%s)", sb_size_text((double)bytes, text));
}

static void print_report(const struct sb_reader *in, const struct sb_description *d, uint64_t count, const char *state)
{
    fprintf(out, "%s: %s, %" PRIu64 " record%s", sb_reader_name(in), state, count, count == 1 ? "" : "s");
    if (sb_reader_count(in) == count) {
        fprintf(out, ", ");
        print_size(sb_reader_offset(in));
    }
    putc('\n', out);
    sb_history_print(sb_reader_header(in), out);
    sb_description_print(d, out);
}

struct checked {
    struct sb_reader *in;
    struct sb_spool *whole; /* in's file, where it has an index that spares reading what is not asked for */
    struct sb_index index;  /* that is made */
    struct sb_description *d;
    uint64_t at, count; /* records passed, records that were asked for */
};

/* The next record: 1, 0 at the end, -1 with a message. */
static int next(struct checked *c, struct sb_record *rec)
{
    if (!c->whole) return sb_reader_next(c->in, rec);
    if (c->at == sb_spool_count(c->whole)) return 0;
    return sb_spool_get(c->whole, c->at, rec) ? -1 : 1;
}

/* 0 at the stream's end, 1 at the end of what was asked for, -1 with a message. */
static int read_part(struct checked *c)
{
    struct sb_record rec = {0};
    int rc = 1;
    if (c->whole) c->at = range.from < sb_spool_count(c->whole) ? range.from : sb_spool_count(c->whole);
    while (c->at < range.to && (rc = next(c, &rec)) > 0) {
        if (indexing) sb_index_add(&c->index, c->in);
        if (c->at++ < range.from) continue;
        c->count++;
        if (c->d) sb_description_add(c->d, &rec);
    }
    sb_record_free(&rec);
    return rc;
}

/* Reads one stream to its end, or the records asked for. 0, or -1 with a message. */
static int check(const char *path, const struct sb_tool *tool, const struct sb_args *args)
{
    struct checked c = {.in = sb_reader_open(path), .d = NULL};
    if (!c.in) return -1;
    if (range.from > 0) c.whole = sb_spool_indexed(c.in);
    if (indexing) sb_index_begin(&c.index, c.in);
    if (verbose) c.d = sb_description_new();
    int rc = read_part(&c);
    const char *state = rc < 0 ? "broken" : rc > 0 || c.whole ? "end not looked at" : "whole";
    if (rc == 0 && !c.whole && !sb_reader_verified(c.in)) state = "no trailer";
    if (c.d) {
        print_report(c.in, c.d, c.count, state);
        sb_description_free(c.d);
    }
    if (rc == 0 && indexing) rc = sb_index_save(&c.index, c.in, tool, args);
    sb_index_free(&c.index);
    if (c.whole)
        sb_spool_close(c.whole); /* and with it the reader */
    else
        sb_reader_close(c.in);
    return rc < 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
    const struct sb_opt opts[] = {
        {'v', "verbose", NULL, SB_FLAG, &verbose, 0, "print history, counts, fields, labels and sources", 0, 0},
        SB_OPT_RECORDS(&records),
        {0, "index", NULL, SB_FLAG, &indexing, 0, "write FILE.idx, with which parts of FILE are read without the rest", 0, 0},
        SB_OPT_QUIET,
        SB_OPT_END,
    };
    const struct sb_tool tool = {"sb-check", "[FILE]...",
                                 "Checks that streams are whole: silent if they are, one line for each that is not.",
                                 opts, true};
    struct sb_args args;
    int status = 0;
    sb_opt_parse(&tool, argc, argv, &args);
    range = sb_range_parse(records);
    if (indexing && records) sb_usage("--index wants to read all records");
    for (int i = 0; indexing && (i < args.count || i == 0); i++)
        if (i == args.count || !strcmp(args.operand[i], "-")) sb_usage("--index wants a file");
    out = sb_output_stdio(NULL);
    for (int i = 0; i < args.count || i == 0; i++) {
        if (verbose && i > 0) putc('\n', out);
        if (check(args.operand[i], &tool, &args) == 0) continue;
        fflush(out); /* what was said of it stands before the line that says why */
        sb_say_error();
        status = 1;
    }
    fclose(out);
    return status;
}
