/* bench_glance STREAM: how long one thread takes to decode a stream's JPEGs as sb-dedup does, to their brightness at a
 * fraction of their size, and whole, and how far the hashes of both are apart. */
#include <stdio.h>
#include <stdlib.h>

#include "base/progress.h"
#include "media/image.h"
#include "media/thumb.h"
#include "select/phash.h"
#include "stream/stream.h"

#define WHOLE 20 /* one of so many is decoded whole, too */

static const struct sb_tool tool = {
    .name = "bench_glance", .usage = "STREAM", .summary = "Times decoding.", .opts = (const struct sb_opt[]){SB_OPT_END}};

int main(int argc, char **argv)
{
    struct sb_args args;
    struct sb_record rec = {0};
    struct sb_picture p = {0};
    struct sb_thumb thumb;
    struct sb_phash hash[2];
    double glances = 0, decoded = 0, apart = 0;
    size_t count = 0, whole = 0, size;
    int most = 0;
    const uint8_t *jpeg;
    sb_opt_parse(&tool, argc, argv, &args);
    if (args.count != 1) sb_usage("wanted: %s", tool.usage);
    struct sb_reader *in = sb_reader_open(args.operand[0]);
    if (!in) sb_die_error();
    while (sb_reader_next(in, &rec) > 0) {
        if (!sb_image_jpeg(&rec, "image", &jpeg, &size)) continue;
        double begun = sb_seconds();
        if (sb_jpeg_thumb(jpeg, size, &thumb) < 0) sb_die_error();
        glances += sb_seconds() - begun;
        if (count++ % WHOLE) continue;
        sb_phash(thumb.grey, 256, 1, &hash[0], NULL);
        begun = sb_seconds();
        if (sb_picture_decode(&p, jpeg, size) < 0) sb_die_error();
        decoded += sb_seconds() - begun;
        sb_picture_thumb(&p, &thumb);
        sb_phash(thumb.grey, 256, 1, &hash[1], NULL);
        int d = sb_phash_distance(&hash[0], &hash[1]);
        apart += d;
        if (d > most) most = d;
        whole++;
    }
    printf("%.2f ms a picture on one core, whole %.2f ms; hashes of both %.2f of 256 bits apart, %d at most\n",
           1e3 * glances / (double)count, 1e3 * decoded / (double)whole, apart / (double)whole, most);
    sb_reader_close(in);
    return 0;
}
