/* Resizing in one thread, in each way that this processor has:
 *     bench_resize IN.rgb WIDTH HEIGHT NEW-WIDTH NEW-HEIGHT bicubic|bilinear OUT.rgb
 * Files are bare pixels. A line a way, the best of its calls: name, milliseconds of CPU time. OUT is of the best way;
 * another result is an error. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "media/resize_inner.h"

#define LEAST_SECONDS 0.2

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static size_t bytes_of(const struct sb_picture *p) { return 3 * (size_t)p->width * (size_t)p->height; }

static void read_pixels(struct sb_picture *p, const char *path, int width, int height)
{
    if (sb_picture_size(p, width, height) < 0) sb_die_error();
    FILE *f = fopen(path, "rb");
    if (!f || fread(p->rgb, 1, bytes_of(p), f) != bytes_of(p)) sb_die("%s: can't be read", path);
    fclose(f);
}

static void write_pixels(const struct sb_picture *p, const char *path)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(p->rgb, 1, bytes_of(p), f) != bytes_of(p) || fclose(f)) sb_die("%s: can't be written", path);
}

/* The best call's milliseconds. */
static double time_way(const struct sb_resize_way *way, const struct sb_picture *in, struct sb_picture *out,
                       const struct sb_window *all, enum sb_filter_kind kind)
{
    double best = 1e9, end = now() + LEAST_SECONDS;
    for (int n = 0; n < 3 || now() < end; n++) {
        double began = now();
        if (sb_resize_window_by(way, in, out, all, kind) < 0) sb_die_error();
        double took = now() - began;
        if (took < best) best = took;
    }
    return best * 1e3;
}

int main(int argc, char **argv)
{
    struct sb_picture in = {0}, first = {0}, out = {0};
    enum sb_filter_kind kind;
    if (argc != 8 || sb_filter_kind_parse(argv[6], &kind)) sb_die("usage: see %s", __FILE__);
    struct sb_window all = {.full_width = atoi(argv[4]), .full_height = atoi(argv[5])};
    all.width = all.full_width;
    all.height = all.full_height;
    read_pixels(&in, argv[1], atoi(argv[2]), atoi(argv[3]));
    for (const struct sb_resize_way *const *way = sb_resize_ways; *way; way++) {
        if (!(*way)->can()) continue;
        bool best = !first.rgb;
        printf("%s %.3f\n", (*way)->name, time_way(*way, &in, best ? &first : &out, &all, kind));
        if (!best && memcmp(first.rgb, out.rgb, bytes_of(&out))) sb_die("%s gives other bytes", (*way)->name);
    }
    write_pixels(&first, argv[7]);
    sb_picture_free(&in);
    sb_picture_free(&first);
    sb_picture_free(&out);
    return 0;
}
