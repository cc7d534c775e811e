/* sb-check: is this stream whole, and what does it hold? */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/output.h"
#include "stream/describe.h"
#include "stream/stream.h"

static bool verbose;
static int64_t most = -1;
static FILE *out; /* standard output; a failure to write it ends the program with one line */

static void print_size(uint64_t bytes)
{
    const char *const unit[] = {"kB", "MB", "GB", "TB"};
    double v = (double)bytes / 1000;
    int i = 0;
    for (; v >= 1000 && i < 3; i++) v /= 1000;
    if (bytes < 1000) {
        fprintf(out, "%" PRIu64 " bytes", bytes);
    } else {
        fprintf(out, "%" PRIu64 " bytes (%.1f %s)", bytes, v, unit[i]);
    }
}

static void print_report(const struct sb_reader *in, const struct sb_description *d, const char *state)
{
    fprintf(out, "%s: %s, %" PRIu64 " record%s, ", sb_reader_name(in), state, sb_reader_count(in),
            sb_reader_count(in) == 1 ? "" : "s");
    print_size(sb_reader_offset(in));
    putc('\n', out);
    sb_history_print(sb_reader_header(in), out);
    sb_description_print(d, out);
}

/* Reads one stream to its end, or the first `most` records. 0, or -1 with a message. */
static int check(const char *path)
{
    struct sb_record rec = {0};
    struct sb_reader *in = sb_reader_open(path);
    if (!in) return -1;
    struct sb_description *d = verbose ? sb_description_new() : NULL;
    int rc = 1;
    while ((most < 0 || sb_reader_count(in) < (uint64_t)most) && (rc = sb_reader_next(in, &rec)) > 0) {
        if (d) sb_description_add(d, &rec);
    }
    const char *state = rc < 0 ? "broken" : rc > 0 ? "end not looked at" : "whole";
    if (rc == 0 && !sb_reader_verified(in)) state = "no trailer";
    if (d) {
        print_report(in, d, state);
        sb_description_free(d);
    }
    sb_record_free(&rec);
    sb_reader_close(in);
    return rc < 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
    const struct sb_opt opts[] = {
        {'v', "verbose", NULL, SB_FLAG, &verbose, 0, "print history, counts, fields, labels and sources", 0, 0},
        {'n', "records", "N", SB_INT, &most, 0, "read only the first N records, and do not check the end", 0, 9e15},
        SB_OPT_QUIET,
        SB_OPT_END,
    };
    const struct sb_tool tool = {"sb-check", "[FILE]...",
                                 "Checks that streams are whole: silent if they are, one line for each that is not.",
                                 opts, true};
    struct sb_args args;
    int status = 0;
    sb_opt_parse(&tool, argc, argv, &args);
    out = sb_output_stdio(NULL);
    for (int i = 0; i < args.count || i == 0; i++) {
        if (verbose && i > 0) putc('\n', out);
        if (check(args.operand[i]) == 0) continue;
        fflush(out); /* what was said of it stands before the line that says why */
        sb_say_error();
        status = 1;
    }
    fclose(out);
    return status;
}
