/* Damages files as disks and cables do, and says what of them must survive; for tests/damage.bats.
 *
 *     make_damage FOLDER SEED COUNT FILE...    COUNT damaged copies of the FILEs in FOLDER: bits flipped, cut off, a range
 *                                              of zeros; the same for the same seed. A line for each on standard output:
 *                                              its name, FILE's name, and the pts of the frames that are good
 *     make_damage LIST <stream                 holds what sb-frames made of FILEs and copies to that list: each good frame
 *                                              must be there, with the pixels that it has in FILE
 *
 * Good are the frames whose packets lie wholly before the first damaged byte; in MPEG-TS, where a packet's end is only
 * known from the start of what follows, one frame fewer. Where the container's own index is damaged, none. */
#include <errno.h>
#include <inttypes.h>
#include <libavformat/avformat.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/rng.h"
#include "stream/stream.h"

/* ---- making ---- */

struct good_packet {
    int64_t begin, end; /* bytes in the file */
    double pts;         /* from the first frame shown */
};

struct good_file {
    const char *path, *name;
    uint8_t *bytes;
    size_t size;
    struct good_packet *packet; /* in the order of the file; none: a picture */
    size_t packets, cap;
    bool index_last, stream; /* MP4 with its index behind the packets; MPEG-TS */
};

static void read_bytes(struct good_file *g)
{
    FILE *f = fopen(g->path, "r");
    if (!f || fseek(f, 0, SEEK_END)) sb_die("%s: %s", g->path, strerror(errno));
    g->size = (size_t)ftell(f);
    rewind(f);
    g->bytes = sb_malloc(g->size);
    if (fread(g->bytes, 1, g->size, f) != g->size) sb_die("%s: can't be read", g->path);
    fclose(f);
}

static void read_packets(struct good_file *g)
{
    AVFormatContext *format = NULL;
    AVPacket *p = av_packet_alloc();
    int64_t first = INT64_MAX;
    if (!p || avformat_open_input(&format, g->path, NULL, NULL) < 0) sb_die("%s: FFmpeg can't read it", g->path);
    g->stream = !strcmp(format->iformat->name, "mpegts");
    while (av_read_frame(format, p) >= 0) {
        SB_GROW(g->packet, g->cap, g->packets + 1);
        g->packet[g->packets++] = (struct good_packet){p->pos, p->pos + p->size, (double)p->pts};
        if (p->pts < first) first = p->pts;
        av_packet_unref(p);
    }
    for (size_t i = 0; i < g->packets; i++)
        g->packet[i].pts = (g->packet[i].pts - (double)first) * av_q2d(format->streams[0]->time_base);
    for (size_t i = 0; g->stream && i < g->packets; i++)
        g->packet[i].end = i + 2 < g->packets ? g->packet[i + 2].begin : (int64_t)g->size;
    bool mp4 = strstr(format->iformat->name, "mp4") != NULL;
    g->index_last = mp4 && !memmem(g->bytes, (size_t)g->packet[0].begin, "moov", 4);
    avformat_close_input(&format);
    av_packet_free(&p);
}

static void read_good(struct good_file *g, const char *path)
{
    const char *slash = strrchr(path, '/');
    *g = (struct good_file){.path = path, .name = slash ? slash + 1 : path};
    read_bytes(g);
    if (!strstr(path, ".png") && !strstr(path, ".jpg")) read_packets(g);
}

/* The range of bytes that are not what they were, or are gone. */
struct damage {
    const char *kind;
    uint8_t *bytes;
    size_t size, first, last;
};

static void damage_file(struct damage *d, const struct good_file *g, struct sb_rng *rng, int kind)
{
    uint32_t size = (uint32_t)g->size, length = size / 100 + sb_rng_below(rng, size / 20 + 1);
    uint32_t at = sb_rng_below(rng, size - length), bits = 1 + sb_rng_below(rng, 20);
    d->bytes = sb_malloc(g->size);
    memcpy(d->bytes, g->bytes, g->size);
    d->kind = (const char *const[]){"bits", "cut", "zeros"}[kind];
    d->size = kind == 1 ? at : g->size;
    for (uint32_t i = 0; kind == 0 && i < bits; i++) d->bytes[at + sb_rng_below(rng, length + 1)] ^= (uint8_t)(1 << sb_rng_below(rng, 8));
    if (kind == 2) memset(d->bytes + at, 0, length);
    d->first = 0;
    while (d->first < d->size && d->bytes[d->first] == g->bytes[d->first]) d->first++;
    d->last = g->size;
    while (d->size == g->size && d->last > d->first && d->bytes[d->last - 1] == g->bytes[d->last - 1]) d->last--;
}

static void list_good(const struct good_file *g, const struct damage *d)
{
    if (!g->packets || d->first < (size_t)g->packet[0].begin) return;
    if (g->index_last && d->last > (size_t)g->packet[g->packets - 1].end) return;
    for (size_t i = 0; i < g->packets && (size_t)g->packet[i].end <= d->first; i++) printf("\t%.6f", g->packet[i].pts);
}

static void make(const char *folder, uint64_t seed, int count, char **path, int files)
{
    struct good_file *good = sb_calloc((size_t)files, sizeof *good);
    struct sb_rng rng;
    for (int i = 0; i < files; i++) read_good(&good[i], path[i]);
    sb_rng_init(&rng, seed, 0);
    for (int i = 0; i < count; i++) {
        const struct good_file *g = &good[i % files];
        struct damage d;
        damage_file(&d, g, &rng, i / files % 3);
        char *name = sb_format("%03d-%s%s", i, d.kind, strrchr(g->name, '.')), *to = sb_format("%s/%s", folder, name);
        FILE *f = fopen(to, "w");
        if (!f || fwrite(d.bytes, 1, d.size, f) != d.size || fclose(f)) sb_die("%s: %s", to, strerror(errno));
        printf("%s\t%s", name, g->name);
        list_good(g, &d);
        putchar('\n');
        free(d.bytes);
        free(name);
        free(to);
    }
}

/* ---- checking ---- */

struct shown {
    char *source;
    double pts;
    struct sb_hash image;
};

static struct shown *shown;
static size_t shown_count, shown_cap;

static void take(struct sb_record *rec)
{
    const char *source;
    double pts = 0;
    struct sb_field *image = sb_record_find(rec, "image");
    if (sb_get_cstr(rec, "source", &source) != 1 || sb_get_real(rec, "pts", &pts) < 0 || !image) sb_die("a record lacks fields");
    SB_GROW(shown, shown_cap, shown_count + 1);
    shown[shown_count++] = (struct shown){sb_strdup(source), pts, sb_hash_bytes(image->value, image->size)};
}

static const struct shown *find(const char *source, double pts)
{
    for (size_t i = 0; i < shown_count; i++)
        if (fabs(shown[i].pts - pts) < 1e-4 && !strcmp(shown[i].source, source)) return &shown[i];
    return NULL;
}

/* A line of the list: how many good frames are lost. */
static int lost(char *line, int *wanted)
{
    char *name = strtok(line, "\t\n"), *good = strtok(NULL, "\t\n"), *text;
    int count = 0;
    while ((text = strtok(NULL, "\t\n"))) {
        const struct shown *want = find(good, atof(text)), *got = find(name, atof(text));
        if (!want) sb_die("%s itself has no frame at %s", good, text);
        ++*wanted;
        if (got && got->image.hi == want->image.hi && got->image.lo == want->image.lo) continue;
        printf("%s: the frame at %s is %s\n", name, text, got ? "not as it was" : "lost");
        count++;
    }
    return count;
}

static int check(const char *list)
{
    struct sb_record rec = {0};
    struct sb_reader *in = sb_reader_open(NULL);
    char line[65536];
    int rc = -1, count = 0, wanted = 0;
    while (in && (rc = sb_reader_next(in, &rec)) > 0) take(&rec);
    if (rc < 0) sb_die_error();
    FILE *f = fopen(list, "r");
    if (!f) sb_die("%s: %s", list, strerror(errno));
    while (fgets(line, sizeof line, f)) count += lost(line, &wanted);
    printf("%d of %d good frames lost, %zu frames in all\n", count, wanted, shown_count);
    return count > 0;
}

int main(int argc, char **argv)
{
    sb_program = "make_damage";
    if (argc == 2) return check(argv[1]);
    if (argc < 5) sb_die("make_damage FOLDER SEED COUNT FILE... | make_damage LIST");
    make(argv[1], strtoull(argv[2], NULL, 10), atoi(argv[3]), argv + 4, argc - 4);
    return 0;
}
