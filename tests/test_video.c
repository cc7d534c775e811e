/* Reading video: times, sampling, seeking, orientation, colours, cut files. The videos are made here. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "media/encode.h"
#include "media/sampler.h"
#include "tests/clip.h"

enum { WIDE = 96, HIGH = 64, FRAMES = 60, RATE = 10 };

static char folder[] = "/tmp/test_video.XXXXXX";

static void in_folder(char path[128], const char *name) { snprintf(path, 128, "%s/%s", folder, name); }

/* Four quarters: red, green, blue, and a grey that tells the frame's number. */
static void paint(struct sb_picture *p, int number)
{
    const uint8_t quarter[4][3] = {{220, 30, 30}, {30, 200, 30}, {30, 30, 210}, {0}};
    assert_int_equal(sb_picture_size(p, WIDE, HIGH), 0);
    for (int y = 0; y < HIGH; y++)
        for (int x = 0; x < WIDE; x++) {
            int q = (y >= HIGH / 2) * 2 + (x >= WIDE / 2);
            uint8_t *to = p->rgb + (y * WIDE + x) * 3;
            if (q == 3)
                memset(to, 20 + 3 * number, 3);
            else
                memcpy(to, quarter[q], 3);
        }
}

static void make_video(const char *path)
{
    struct sb_picture p = {0};
    struct sb_encoder *e = sb_encoder_open(path, WIDE, HIGH, RATE);
    assert_non_null(e);
    for (int i = 0; i < FRAMES; i++) {
        paint(&p, i);
        assert_int_equal(sb_encoder_put(e, &p), 0);
    }
    assert_int_equal(sb_encoder_close(e), 0);
    sb_picture_free(&p);
}

static const uint8_t *pixel(const struct sb_picture *p, double x, double y)
{
    return p->rgb + ((int)(y * p->height) * p->width + (int)(x * p->width)) * 3;
}

static int number_of(const struct sb_picture *p) { return (int)lround((pixel(p, 0.75, 0.75)[1] - 20) / 3.0); }

static void assert_colour(const uint8_t *rgb, int r, int g, int b)
{
    const int want[3] = {r, g, b};
    for (int c = 0; c < 3; c++)
        if (abs(rgb[c] - want[c]) > 9) fail_msg("%d %d %d, wanted %d %d %d", rgb[0], rgb[1], rgb[2], r, g, b);
}

static void frames_come_in_order_with_their_times(void **state)
{
    (void)state;
    char path[128];
    struct sb_video_frame f = {0};
    struct sb_picture p = {0};
    in_folder(path, "dive.mp4");
    struct sb_video *v = sb_video_open(path, &(struct sb_video_reading){.threads = 2}, NULL);
    assert_non_null(v);
    assert_true(fabs(sb_video_duration(v) - 6) < 0.01);
    assert_false(sb_video_still(v));
    int n = 0;
    for (; sb_video_next(v, &f); n++) {
        assert_true(fabs(f.pts - n / (double)RATE) < 1e-6);
        assert_true(fabs(f.end - f.pts - 0.1) < 1e-6);
        assert_int_equal(sb_video_picture(&f, &p), 0);
        assert_int_equal(number_of(&p), n);
        assert_colour(pixel(&p, 0.25, 0.25), 220, 30, 30);
        assert_colour(pixel(&p, 0.75, 0.25), 30, 200, 30);
        assert_colour(pixel(&p, 0.25, 0.75), 30, 30, 210);
    }
    assert_int_equal(n, FRAMES);
    assert_true(sb_video_missing(v) == 0 && sb_video_skipped(v) == 0);
    sb_video_frame_free(&f);
    sb_video_close(v);
    sb_picture_free(&p);
}

/* Runs a sampler and checks each sample's time, duration and frame number. */
static void assert_samples(const char *name, const struct sb_sampling *how, int count, const double (*want)[3])
{
    char path[128];
    struct sb_video_frame f = {0};
    struct sb_picture p = {0};
    struct sb_sample s;
    int n = 0;
    in_folder(path, name);
    struct sb_sampler *sampler = sb_sampler_open(path, how, 1, NULL);
    assert_non_null(sampler);
    for (; sb_sampler_next(sampler, &s, &f); n++) {
        assert_true(n < count);
        assert_int_equal(sb_video_frame_decode(&f), 1);
        assert_int_equal(sb_video_picture(&f, &p), 0);
        if (fabs(s.pts - want[n][0]) > 1e-6 || fabs(s.duration - want[n][1]) > 1e-6 || number_of(&p) != (int)want[n][2])
            fail_msg("sample %d: %g for %g, frame %d; wanted %g for %g, frame %g", n, s.pts, s.duration, number_of(&p),
                     want[n][0], want[n][1], want[n][2]);
    }
    assert_int_equal(n, count);
    sb_sampler_close(sampler);
    sb_video_frame_free(&f);
    sb_picture_free(&p);
}

static void samples_are_what_is_on_screen(void **state)
{
    (void)state;
    assert_samples("dive.mp4", &(struct sb_sampling){.fps = 1}, 6,
                   (const double[][3]){{0, 1, 0}, {1, 1, 10}, {2, 1, 20}, {3, 1, 30}, {4, 1, 40}, {5, 1, 50}});
    assert_samples("dive.mp4", &(struct sb_sampling){.fps = 0.4}, 3,
                   (const double[][3]){{0, 2.5, 0}, {2.5, 2.5, 25}, {5, 1, 50}});
    /* Faster than the frames come: some are shown twice, and the last tick is cut at the end. */
    assert_samples(
        "dive.mp4", &(struct sb_sampling){.fps = 16, .start = 5.74}, 4,
        (const double[][3]){{5.75, 0.0625, 57}, {5.8125, 0.0625, 58}, {5.875, 0.0625, 58}, {5.9375, 0.0625, 59}});
    assert_samples("dive.mp4", &(struct sb_sampling){.fps = 3, .start = 4.1, .end = 4.9}, 2,
                   (const double[][3]){{13 / 3.0, 1 / 3.0, 43}, {14 / 3.0, 4.9 - 14 / 3.0, 46}});
    assert_samples("dive.mp4", &(struct sb_sampling){.every = 25}, 3,
                   (const double[][3]){{0, 2.5, 0}, {2.5, 2.5, 25}, {5, 1, 50}});
    assert_samples("dive.mp4", &(struct sb_sampling){.every = 2, .start = 5.25, .end = 5.75}, 3,
                   (const double[][3]){{5.3, 0.2, 53}, {5.5, 0.2, 55}, {5.7, 0.05, 57}});
    assert_samples("dive.mp4", &(struct sb_sampling){.fps = 1, .start = 100}, 0, NULL);
    assert_samples("dive.mkv", &(struct sb_sampling){.fps = 1, .start = 4}, 2,
                   (const double[][3]){{4, 1, 40}, {5, 1, 50}});
}

/* ---- orientation ------------------------------------------------------------------------------------------------ */

static size_t read_all(const char *path, uint8_t **data)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    *data = sb_malloc(1 << 20);
    size_t n = fread(*data, 1, 1 << 20, f);
    assert_true(n > 0 && n < 1 << 20);
    fclose(f);
    return n;
}

static void write_all(const char *path, const uint8_t *data, size_t size)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, size, f), size);
    fclose(f);
}

static void put_fixed(uint8_t *to, int v)
{
    const uint8_t bytes[4] = {v < 0 ? 0xff : 0, v < 0 ? 0xff : (uint8_t)v, 0, 0}; /* big-endian 16.16 */
    memcpy(to, bytes, 4);
}

/* A display matrix sends x, y to a x + c y, b x + d y. The red quarter starts at the top left, x and y below 0. */
static void display_matrix_is_obeyed(void **state)
{
    (void)state;
    static const int matrices[8][4] = {{1, 0, 0, 1}, {-1, 0, 0, 1}, {-1, 0, 0, -1}, {1, 0, 0, -1},
                                       {0, 1, 1, 0}, {0, 1, -1, 0}, {0, -1, -1, 0}, {0, -1, 1, 0}};
    char path[128];
    uint8_t *data;
    in_folder(path, "dive.mp4");
    size_t size = read_all(path, &data);
    uint8_t *header = memmem(data, size, "tkhd", 4);
    assert_non_null(header);
    uint8_t *matrix = header + 44;
    in_folder(path, "turned.mp4");
    for (int i = 0; i < 8; i++) {
        const int *m = matrices[i];
        struct sb_video_frame f = {0};
        struct sb_picture p = {0};
        put_fixed(matrix, m[0]);
        put_fixed(matrix + 4, m[1]);
        put_fixed(matrix + 12, m[2]);
        put_fixed(matrix + 16, m[3]);
        write_all(path, data, size);
        struct sb_video *v = sb_video_open(path, &(struct sb_video_reading){.threads = 1}, NULL);
        assert_non_null(v);
        assert_int_equal(sb_video_next(v, &f), 1);
        assert_int_equal(sb_video_picture(&f, &p), 0);
        assert_int_equal(p.width, m[0] ? WIDE : HIGH);
        assert_int_equal(p.height, m[0] ? HIGH : WIDE);
        const int corner[3][2] = {{-1, -1}, {1, -1}, {-1, 1}},
                  colour[3][3] = {{220, 30, 30}, {30, 200, 30}, {30, 30, 210}};
        for (int c = 0; c < 3; c++) {
            int x = m[0] * corner[c][0] + m[2] * corner[c][1], y = m[1] * corner[c][0] + m[3] * corner[c][1];
            assert_colour(pixel(&p, 0.5 + 0.25 * x, 0.5 + 0.25 * y), colour[c][0], colour[c][1], colour[c][2]);
        }
        sb_video_close(v);
        sb_video_frame_free(&f);
        sb_picture_free(&p);
    }
    free(data);
}

/* ---- what pixels mean ------------------------------------------------------------------------------------------- */

/* The first picture of a clip. */
static void first_picture(const struct clip *c, struct sb_picture *p)
{
    char path[128];
    struct sb_video_frame f = {0};
    in_folder(path, c->file);
    assert_true(clip_make(c, path));
    struct sb_video *v = sb_video_open(path, &(struct sb_video_reading){.threads = 1}, NULL);
    assert_non_null(v);
    assert_int_equal(sb_video_next(v, &f), 1);
    assert_int_equal(sb_video_picture(&f, p), 0);
    sb_video_close(v);
    sb_video_frame_free(&f);
    unlink(path);
}

static double clamp(double v) { return v < 0 ? 0 : v > 255 ? 255 : v; }

/* R'G'B' from Y'CbCr by the definitions (ITU-R BT.601 and BT.709): kr and kb are the luma weights of red and blue. */
static void convert(const int yuv[3], bool bt601, bool full, double rgb[3])
{
    double kr = bt601 ? 0.299 : 0.2126, kb = bt601 ? 0.114 : 0.0722;
    double y = full ? yuv[0] / 255.0 : (yuv[0] - 16) / 219.0;
    double cb = (yuv[1] - 128) / (full ? 255.0 : 224.0), cr = (yuv[2] - 128) / (full ? 255.0 : 224.0);
    double r = y + 2 * (1 - kr) * cr, b = y + 2 * (1 - kb) * cb, g = (y - kr * r - kb * b) / (1 - kr - kb);
    rgb[0] = clamp(255 * r);
    rgb[1] = clamp(255 * g);
    rgb[2] = clamp(255 * b);
}

static void colours_are_those_of_the_definitions(void **state)
{
    (void)state;
    struct sb_picture p = {0};
    for (int i = 0; i < 8; i++) {
        struct clip c = {.file = "colours.mkv",
                         .encoder = "ffv1",
                         .frames = 2,
                         .gop = 1,
                         .full = i & 1,
                         .bt601 = i & 2,
                         .format = i & 4 ? "yuv444p10le" : "yuv444p"};
        first_picture(&c, &p);
        for (int y = 0; y < p.height; y += 7)
            for (int x = 0; x < p.width; x += 5) {
                double want[3];
                const int yuv[3] = {clip_pixel(&c, 0, 0, x, y, p.width), clip_pixel(&c, 0, 1, x, y, p.width),
                                    clip_pixel(&c, 0, 2, x, y, p.width)};
                convert(yuv, c.bt601, c.full, want);
                for (int k = 0; k < 3; k++)
                    if (fabs(p.rgb[(y * p.width + x) * 3 + k] - want[k]) > 2)
                        fail_msg("kind %d, pixel %d %d: %d, wanted %.1f", i, x, y, p.rgb[(y * p.width + x) * 3 + k],
                                 want[k]);
            }
    }
    sb_picture_free(&p);
}

/* How far rows are from the middle of those above and below. */
static double combing(const struct sb_picture *p)
{
    double sum = 0;
    for (int y = 1; y < p->height - 1; y++)
        for (int x = 0; x < p->width; x++) {
            const uint8_t *at = p->rgb + (y * p->width + x) * 3;
            sum += fabs(at[0] - (at[-3 * p->width] + at[3 * p->width]) / 2.0);
        }
    return sum / p->width / p->height;
}

static void interlaced_frames_show_their_first_field(void **state)
{
    (void)state;
    struct sb_picture whole = {0}, fields = {0};
    struct clip c = {.file = "fields.mov",
                     .encoder = "prores",
                     .options = "profile=3",
                     .frames = 2,
                     .gop = 1,
                     .format = "yuv422p10le"};
    first_picture(&c, &whole);
    c.interlaced = true;
    first_picture(&c, &fields);
    assert_true(combing(&fields) < 1.5 * combing(&whole));
    for (int y = 2; y < fields.height - 2; y += 2) /* the rows of the first field are untouched */
        for (int x = 20; x < fields.width; x++)
            assert_true(abs(fields.rgb[(y * fields.width + x) * 3 + 1] - whole.rgb[(y * whole.width + x) * 3 + 1]) <
                        40);
    sb_picture_free(&whole);
    sb_picture_free(&fields);
}

/* ---- what can be wrong with a file ------------------------------------------------------------------------------ */

static void a_cut_file_gives_what_it_has(void **state)
{
    (void)state;
    char path[128];
    uint8_t *data;
    struct sb_video_frame f = {0};
    in_folder(path, "dive.mkv");
    size_t size = read_all(path, &data);
    in_folder(path, "cut.mkv");
    write_all(path, data, size * 2 / 3);
    free(data);
    struct sb_video *v = sb_video_open(path, &(struct sb_video_reading){.threads = 1}, NULL);
    assert_non_null(v);
    int n = 0;
    while (sb_video_next(v, &f)) n++;
    assert_in_range(n, 5, FRAMES - 5);
    assert_true(fabs(sb_video_missing(v) - (FRAMES - n) / (double)RATE) < 0.15);
    assert_true(sb_video_flaws(v, path, sizeof path));
    assert_non_null(strstr(path, " s early"));
    sb_video_close(v);
    sb_video_frame_free(&f);
}

static void other_files_are_refused(void **state)
{
    (void)state;
    char path[128];
    static const struct {
        const char *name, *text, *message;
    } cases[] = {
        {"notes.txt", "Some words about a dive.\nMore of them.\n", "not a video"},
        {"notes.mp4", "Some words about a dive.\nMore of them.\n", "not a video"},
        {"list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://localhost:1/x.ts\n#EXT-X-ENDLIST\n",
         "list.m3u8"},
        {"empty.mp4", "", "empty"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        in_folder(path, cases[i].name);
        write_all(path, (const uint8_t *)cases[i].text, strlen(cases[i].text));
        assert_null(sb_video_open(path, &(struct sb_video_reading){.threads = 1}, NULL));
        if (!strstr(sb_error_message(), cases[i].message)) fail_msg("%s", sb_error_message());
        assert_non_null(strstr(sb_error_message(), cases[i].name));
    }
    assert_null(sb_video_open(folder, &(struct sb_video_reading){.threads = 1}, NULL));
    assert_null(sb_video_open("/nowhere/at/all.mp4", &(struct sb_video_reading){.threads = 1}, NULL));
    assert_non_null(strstr(sb_error_message(), "No such file"));
}

static int make_videos(void **state)
{
    (void)state;
    char path[128];
    if (!mkdtemp(folder)) return -1;
    in_folder(path, "dive.mp4");
    make_video(path);
    in_folder(path, "dive.mkv");
    make_video(path);
    return 0;
}

static int remove_videos(void **state)
{
    (void)state;
    static const char *const names[] = {"dive.mp4",  "dive.mkv",  "turned.mp4", "cut.mkv",
                                        "notes.txt", "notes.mp4", "list.m3u8",  "empty.mp4"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[128];
        in_folder(path, names[i]);
        unlink(path);
    }
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_come_in_order_with_their_times),
        cmocka_unit_test(samples_are_what_is_on_screen),
        cmocka_unit_test(display_matrix_is_obeyed),
        cmocka_unit_test(colours_are_those_of_the_definitions),
        cmocka_unit_test(interlaced_frames_show_their_first_field),
        cmocka_unit_test(a_cut_file_gives_what_it_has),
        cmocka_unit_test(other_files_are_refused),
    };
    return cmocka_run_group_tests(tests, make_videos, remove_videos);
}
