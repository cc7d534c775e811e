#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/spool.h"

static void flush_output(void *arg)
{
    sb_writer_flush(arg);
}

static const char *input_of(const struct sb_args *args)
{
    if (args->count > 1) sb_usage("one input at most: '%s' is too much", args->operand[1]);
    return args->operand[0];
}

static void open_output(struct sb_filter *f, const char *output, const char *drop)
{
    f->out = sb_writer_open(output);
    sb_writer_drop(f->out, drop);
}

void sb_filter_open(struct sb_filter *f, const struct sb_args *args, const char *output, const char *drop)
{
    memset(f, 0, sizeof *f);
    f->in = sb_reader_open(input_of(args));
    if (!f->in) sb_die_error();
    sb_record_copy(&f->header, sb_reader_header(f->in));
    open_output(f, output, drop);
}

void sb_filter_open_whole(struct sb_filter *f, const struct sb_args *args, const char *output, const char *drop,
                          void (*each)(void *arg, uint64_t index, struct sb_record *rec), void *arg)
{
    memset(f, 0, sizeof *f);
    f->whole = sb_spool_open(input_of(args), each, arg);
    if (!f->whole) sb_die_error();
    sb_record_copy(&f->header, sb_spool_header(f->whole));
    open_output(f, output, drop);
}

void sb_filter_rewind(struct sb_filter *f)
{
    f->at = 0;
    f->counts.in = 0;
}

void sb_filter_start(struct sb_filter *f, const struct sb_tool *tool, const struct sb_args *args)
{
    sb_writer_header_joined(f->out, &f->header, f->input, f->inputs, tool, args);
    if (f->in) sb_reader_idle(f->in, flush_output, f->out);
}

void sb_filter_range(struct sb_filter *f, struct sb_range range)
{
    struct sb_record rec = {0};
    int rc = 1;
    f->range = range;
    if (range.from > 0 && f->in && (f->whole = sb_spool_indexed(f->in))) f->in = NULL;
    if (f->whole && range.from > sb_spool_count(f->whole)) range.from = sb_spool_count(f->whole);
    while (f->in && f->at < range.from && (rc = sb_reader_next(f->in, &rec)) > 0) f->at++;
    if (rc < 0) sb_die_error();
    if (f->whole) f->at = range.from;
    sb_record_free(&rec);
}

static int next(struct sb_filter *f, struct sb_record *rec)
{
    if (f->range.to && f->at >= f->range.to) return 0;
    if (f->in) return sb_reader_next(f->in, rec);
    if (f->at == sb_spool_count(f->whole)) return 0;
    return sb_spool_get(f->whole, f->at, rec) ? -1 : 1;
}

bool sb_filter_next(struct sb_filter *f, struct sb_record *rec)
{
    int rc = next(f, rec);
    if (rc < 0) sb_die_error();
    if (rc > 0) f->at++;
    f->counts.in += rc > 0;
    return rc > 0;
}

void sb_filter_keep(struct sb_filter *f, struct sb_record *rec)
{
    if (f->in) sb_reader_keep(f->in, rec); /* a spool's records borrow nothing */
}

void sb_filter_put(struct sb_filter *f, struct sb_record *rec)
{
    sb_writer_put(f->out, rec);
    f->counts.out++;
}

void sb_filter_close(struct sb_filter *f)
{
    sb_writer_close(f->out);
    sb_reader_close(f->in);
    sb_spool_close(f->whole);
    sb_counts_print(&f->counts);
    sb_record_free(&f->header);
}

void sb_filter_die(const struct sb_filter *f, const struct sb_record *rec, const char *fmt, ...)
{
    char why[700];
    const char *id;
    size_t size;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    uint64_t at = f->at || !f->in ? f->at : sb_reader_count(f->in);
    const char *name = f->in ? sb_reader_name(f->in) : sb_spool_name(f->whole);
    if (rec && sb_get_text(rec, "id", &id, &size) == 1) {
        sb_die("%s: record %" PRIu64 " (id %.*s): %s", name, at, (int)(size < 40 ? size : 40), id, why);
    }
    sb_die("%s: record %" PRIu64 ": %s", name, at, why);
}
