/* Decoding only what is wanted gives what decoding all does: the same times, and the same pixels. On videos of many
 * kinds, made here, and on real ones where they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/xxh3.h"
#include "media/sampler.h"
#include "tests/clip.h"
#include "tests/folder.h"

enum { LAZY = 1, ANY = 0 };

/* Whether frames must be read lazily, at one in five or fewer. */
static const struct {
    struct clip clip;
    int how;
} clips[] = {
    {{.file = "plain.mp4", .encoder = "libx264", .options = "preset=fast", .frames = 100, .gop = 20, .b_frames = 3},
     LAZY},
    {{.file = "long.mp4", .encoder = "libx264", .options = "preset=fast", .frames = 120, .gop = 120, .b_frames = 3},
     LAZY},
    {{.file = "pyramid.mkv",
      .encoder = "libx264",
      .options = "preset=fast x264-params=b-pyramid=normal:bframes=8:b-adapt=0",
      .frames = 100,
      .gop = 32,
      .b_frames = 8},
     LAZY},
    {{.file = "no_b.mp4", .encoder = "libx264", .options = "preset=fast", .frames = 100, .gop = 25, .b_frames = 0},
     LAZY},
    {{.file = "open.mp4",
      .encoder = "libx264",
      .options = "preset=fast x264-params=open-gop=1",
      .frames = 120,
      .gop = 24,
      .b_frames = 3},
     ANY},
    {{.file = "refresh.mp4",
      .encoder = "libx264",
      .options = "preset=fast x264-params=intra-refresh=1",
      .frames = 100,
      .gop = 20,
      .b_frames = 0},
     ANY},
    {{.file = "uneven.mkv",
      .encoder = "libx264",
      .options = "preset=fast",
      .frames = 100,
      .gop = 20,
      .b_frames = 3,
      .uneven = true},
     LAZY},
    {{.file = "uneven.mp4",
      .encoder = "libx264",
      .options = "preset=fast",
      .frames = 100,
      .gop = 20,
      .b_frames = 3,
      .uneven = true,
      .late = true},
     LAZY},
    {{.file = "late.ts",
      .encoder = "libx264",
      .options = "preset=fast",
      .frames = 100,
      .gop = 20,
      .b_frames = 3,
      .late = true},
     LAZY},
    {{.file = "bare.h264", .encoder = "libx264", .options = "preset=fast", .frames = 100, .gop = 20, .b_frames = 3},
     ANY},
    {{.file = "ten.mp4",
      .encoder = "libx264",
      .options = "preset=fast",
      .frames = 60,
      .gop = 20,
      .b_frames = 3,
      .format = "yuv420p10le"},
     LAZY},
    {{.file = "fields.mp4",
      .encoder = "libx264",
      .options = "preset=fast x264-params=tff=1",
      .frames = 60,
      .gop = 20,
      .b_frames = 3,
      .interlaced = true},
     ANY},
    {{.file = "back.ts",
      .encoder = "libx264",
      .options = "preset=fast",
      .frames = 100,
      .gop = 10,
      .b_frames = 0,
      .twice = true},
     ANY},
    {{.file = "hevc.mp4",
      .encoder = "libx265",
      .options = "preset=fast x265-params=log-level=none:open-gop=0:keyint=20:min-keyint=20",
      .frames = 80,
      .gop = 20,
      .b_frames = 3},
     LAZY},
    {{.file = "cra.mp4",
      .encoder = "libx265",
      .options = "preset=fast x265-params=log-level=none:open-gop=1:keyint=16:min-keyint=16:b-adapt=0",
      .frames = 80,
      .gop = 16,
      .b_frames = 4},
     LAZY},
    {{.file = "cra.mkv",
      .encoder = "libx265",
      .options = "preset=fast x265-params=log-level=none:open-gop=1:keyint=24:bframes=6:b-pyramid=1",
      .frames = 100,
      .gop = 24,
      .b_frames = 6},
     LAZY},
    {{.file = "hevc.ts",
      .encoder = "libx265",
      .options = "preset=fast x265-params=log-level=none:open-gop=1:keyint=24",
      .frames = 80,
      .gop = 24,
      .b_frames = 3,
      .late = true},
     LAZY},
    {{.file = "layers.mp4",
      .encoder = "libx265",
      .options = "preset=fast x265-params=log-level=none:temporal-layers=1:keyint=24",
      .frames = 80,
      .gop = 24,
      .b_frames = 3},
     LAZY},
    {{.file = "four.mp4", .encoder = "mpeg4", .frames = 80, .gop = 12, .b_frames = 2}, ANY},
    {{.file = "four.avi", .encoder = "mpeg4", .frames = 80, .gop = 12, .b_frames = 0}, ANY},
    {{.file = "two.mpg", .encoder = "mpeg2video", .frames = 80, .gop = 12, .b_frames = 2}, ANY},
    {{.file = "motion.avi",
      .encoder = "mjpeg",
      .frames = 60,
      .gop = 1,
      .b_frames = 0,
      .format = "yuvj420p",
      .full = true},
     LAZY},
    {{.file = "prores.mov", .encoder = "prores", .frames = 40, .gop = 1, .b_frames = 0, .format = "yuv422p10le"}, LAZY},
    {{.file = "nine.webm",
      .encoder = "libvpx-vp9",
      .options = "deadline=realtime cpu-used=8",
      .frames = 80,
      .gop = 20,
      .b_frames = 0},
     LAZY},
    {{.file = "eight.webm",
      .encoder = "libvpx",
      .options = "deadline=realtime cpu-used=8",
      .frames = 80,
      .gop = 20,
      .b_frames = 0},
     LAZY},
};

static const struct sb_sampling samplings[] = {
    {.fps = 1},
    {.fps = 4},
    {.fps = 0.4, .start = 1.3},
    {.fps = 2, .start = 0.5, .end = 3.1},
    {.every = 7},
    {.fps = 2, .keys = true},
};

struct taken {
    size_t count;
    struct sb_sample sample[200];
    XXH64_hash_t pixels[200];
    bool lazy;
};

static void take(const char *path, const struct sb_sampling *how, struct taken *t)
{
    struct sb_video_frame f = {0};
    struct sb_picture p = {0};
    struct sb_sampler *s = sb_sampler_open(path, how, 2, NULL);
    if (!s) fail_msg("%s", sb_error_message());
    t->count = 0;
    t->lazy = false;
    while (sb_sampler_next(s, &t->sample[t->count], &f)) {
        assert_true(t->count < 199);
        if (f.segment) t->lazy = true;
        assert_int_equal(sb_video_frame_decode(&f), 1);
        assert_int_equal(sb_video_picture(&f, &p), 0);
        t->pixels[t->count++] = XXH3_64bits(p.rgb, (size_t)p.width * (size_t)p.height * 3);
    }
    sb_video_frame_free(&f);
    sb_sampler_close(s);
    sb_picture_free(&p);
}

static void compare(const char *path, bool lazy, size_t step)
{
    for (size_t i = 0; i < sizeof samplings / sizeof *samplings; i += step) {
        static struct taken some, all;
        struct sb_sampling how = samplings[i];
        take(path, &how, &some);
        how.all = true;
        take(path, &how, &all);
        assert_false(all.lazy);
        if (lazy && some.count > 0 && !some.lazy) fail_msg("%s, sampling %zu: all was decoded", path, i);
        if (some.count != all.count) fail_msg("%s, sampling %zu: %zu, not %zu", path, i, some.count, all.count);
        for (size_t k = 0; k < all.count; k++) {
            if (some.sample[k].pts != all.sample[k].pts || some.sample[k].duration != all.sample[k].duration)
                fail_msg("%s, sampling %zu: %g for %g, not %g for %g", path, i, some.sample[k].pts,
                         some.sample[k].duration, all.sample[k].pts, all.sample[k].duration);
            if (some.pixels[k] != all.pixels[k])
                fail_msg("%s, sampling %zu: another picture at %g", path, i, all.sample[k].pts);
        }
    }
}

static void chosen_frames_are_those_of_a_full_decode(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof clips / sizeof *clips; i++) {
        char *path = sb_format("%s/%s", folder, clips[i].clip.file);
        if (clip_make(&clips[i].clip, path))
            compare(path, clips[i].how == LAZY, 1);
        else
            print_message("no encoder %s: not tested\n", clips[i].clip.encoder);
        unlink(path);
        free(path);
    }
}

static void of_real_videos_too(void **state)
{
    (void)state;
    static const char *const names[] = {"jellyfish-h264-1080p.mp4", "tank-h264-vfr.mp4", "aquarium-hevc-portrait.mp4"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = sb_format("../shared/data/video/%s", names[i]);
        if (access(path, R_OK) == 0) compare(path, true, 5);
        free(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chosen_frames_are_those_of_a_full_decode),
        cmocka_unit_test(of_real_videos_too),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
