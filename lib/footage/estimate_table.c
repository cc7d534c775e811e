#include "footage/estimate_table.h"

#include <inttypes.h>
#include <libgen.h>
#include <math.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "base/err.h"

static void add_line(struct sb_estimate_table *t, const char *name, const struct sb_estimate *e)
{
    char text[SB_SIZE_TEXT];
    int64_t s = llround(e->duration);
    if (t->lines.count == 0) {
        static const char *const titles[] = {"source", "duration", "frames", "bytes"};
        t->lines.align = "lrrr";
        for (int i = 0; i < 4; i++) sb_table_add(&t->lines, "%s", titles[i]);
    }
    sb_table_add(&t->lines, "%s", name);
    if (s)
        sb_table_add(&t->lines, "%" PRId64 ":%02d:%02d", s / 3600, (int)(s / 60 % 60), (int)(s % 60));
    else
        sb_table_add(&t->lines, "%s", "");
    sb_table_add(&t->lines, "%" PRIu64, e->frames);
    sb_table_add(&t->lines, "%s%.0f (%s)", e->about ? "about " : "", e->bytes, sb_size_text(e->bytes, text));
}

static void add(struct sb_estimate *sum, const struct sb_estimate *e)
{
    sum->duration += e->duration;
    sum->frames += e->frames;
    sum->bytes += e->bytes;
    sum->about |= e->about;
}

void sb_estimate_table_add(struct sb_estimate_table *t, const struct sb_input *input,
                           const struct sb_estimate *estimate)
{
    add(&t->sum, estimate);
    if (input->picture)
        add(&t->pictures, estimate);
    else
        add_line(t, input->source, estimate);
}

static void print_room(const char *output, double bytes, FILE *out)
{
    struct statvfs fs;
    char *path = sb_strdup(output), text[SB_SIZE_TEXT];
    const char *folder = dirname(path);
    if (statvfs(folder, &fs) == 0) {
        double room = (double)fs.f_bavail * (double)fs.f_frsize;
        fprintf(out, "\nfree in %s: %s%s\n", folder, sb_size_text(room, text), room < bytes ? ": too little" : "");
    }
    free(path);
}

void sb_estimate_table_print(struct sb_estimate_table *t, double overhead, const char *output, FILE *out)
{
    if (t->pictures.frames) add_line(t, "pictures", &t->pictures);
    t->sum.bytes += overhead;
    add_line(t, "in all", &t->sum);
    sb_table_print(&t->lines, out, 0);
    if (output) print_room(output, t->sum.bytes, out);
    sb_table_free(&t->lines);
}
