/* bench_copies BITS FLIPS CROPS STREAM: what sb-dedup's hashes say of pictures and their copies.
 *
 * A record's source is KIND/GROUP-NUMBER.suffix. Each one of another kind than "original" is looked up among all
 * originals: pairs of the same GROUP-NUMBER are copies, those of one group are not counted, others are mistakes. In a
 * stream without copies pairs of one group are what is looked for. Prints "KIND DISTANCE PAIRS" lines; mistakes are of
 * the kind "other". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "media/image.h"
#include "media/thumb.h"
#include "select/phash.h"
#include "stream/stream.h"

#define KINDS 32
#define MOST (64 * SB_PHASH_WORDS)

static const struct sb_tool tool = {.name = "bench_copies",
                                    .usage = "BITS FLIPS CROPS STREAM",
                                    .summary = "Distances between pictures and their copies.",
                                    .opts = (const struct sb_opt[]){SB_OPT_END}};

struct picture {
    char *kind, *group, *name;
    struct sb_phash hash[SB_PHASH_WINDOWS], mirrored[SB_PHASH_WINDOWS];
};

static struct picture *picture;
static size_t count, cap;
static char *kinds[KINDS] = {(char *)"other"};
static uint64_t pairs[KINDS][MOST + 1];

static void read_all(const char *path, int bits, int windows)
{
    struct sb_record rec = {0};
    struct sb_reader *in = sb_reader_open(path);
    if (!in) sb_die_error();
    for (int more; (more = sb_reader_next(in, &rec)) != 0;) {
        const char *source;
        struct sb_picture memory = {0};
        struct sb_thumb thumb;
        const uint8_t *jpeg;
        size_t size;
        if (more < 0 || sb_get_cstr(&rec, "source", &source) <= 0) sb_die_error();
        SB_GROW(picture, cap, count + 1);
        struct picture *p = &picture[count++];
        char *slash = strchr(p->kind = sb_strdup(source), '/');
        if (!slash || !strrchr(slash, '-')) sb_die("'%s' is not KIND/GROUP-NUMBER.suffix", source);
        *slash = 0;
        *strrchr(p->name = slash + 1, '.') = 0;
        p->group = sb_strndup(p->name, (size_t)(strrchr(p->name, '-') - p->name));
        if (sb_image_jpeg(&rec, "image", &jpeg, &size)) {
            if (sb_jpeg_thumb(jpeg, size, &thumb) < 0) sb_die_error();
        } else {
            if (sb_image_get(&rec, "image", &memory) <= 0) sb_die_error();
            sb_picture_thumb(&memory, &thumb);
        }
        sb_phash(thumb.grey, bits, windows, p->hash, p->mirrored);
        sb_picture_free(&memory);
    }
    sb_reader_close(in);
}

static int kind_number(const char *kind)
{
    int k = 1;
    while (k < KINDS - 1 && kinds[k] && strcmp(kinds[k], kind)) k++;
    if (!kinds[k]) kinds[k] = sb_strdup(kind);
    return k;
}

#ifdef __x86_64__
__attribute__((target("popcnt")))
#endif
static int nearest(const struct picture *query, const struct picture *kept, int windows, bool flips)
{
    int least = MOST;
    for (int w = 0; w < windows; w++) {
        int d = sb_phash_distance(&query->hash[w], &kept->hash[0]);
        int m = flips ? sb_phash_distance(&query->mirrored[w], &kept->hash[0]) : d;
        if (m < d) d = m;
        if (d < least) least = d;
    }
    return least;
}

int main(int argc, char **argv)
{
    struct sb_args args;
    bool copies = false;
    sb_opt_parse(&tool, argc, argv, &args);
    if (args.count != 4) sb_usage("wanted: %s", tool.usage);
    int bits = atoi(args.operand[0]), windows = atoi(args.operand[2]) ? SB_PHASH_WINDOWS : 1;
    bool flips = atoi(args.operand[1]);
    read_all(args.operand[3], bits, windows);
    for (size_t i = 0; i < count; i++) copies |= strcmp(picture[i].kind, "original") != 0;
    for (size_t i = 0; i < count; i++) {
        const struct picture *q = &picture[i];
        if (copies && !strcmp(q->kind, "original")) continue;
        int kind = kind_number(q->kind);
        for (size_t j = 0; j < (copies ? count : i); j++) {
            const struct picture *o = &picture[j];
            bool same = !strcmp(o->group, q->group), copy = copies ? !strcmp(o->name, q->name) : same;
            if (strcmp(o->kind, "original") || (same && !copy)) continue;
            pairs[copy ? kind : 0][nearest(q, o, windows, flips)]++;
        }
    }
    for (int k = 0; k < KINDS && kinds[k]; k++)
        for (int d = 0; d <= bits; d++)
            if (pairs[k][d]) printf("%s %d %llu\n", kinds[k], d, (unsigned long long)pairs[k][d]);
    return 0;
}
