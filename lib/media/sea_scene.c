/* What there is in a dive: its water, the floors along the track, who comes by when; and who is in view. */
#include "media/sea_inner.h"

#define LOW 1.45f   /* metres above the floor */
#define HIGH 11.0f  /* the floor is out of sight from here */
#define FOCAL 1.1f  /* of the frame's height */
#define HORIZON 0.30f
#define STEP 0.5    /* seconds between the moments that are checked while animals are chosen */

/* ---- the vehicle ------------------------------------------------------------------------------------------------- */

static int segment_at(const struct sb_sea *sea, double t)
{
    int low = 0, high = sea->segments;
    while (high - low > 1) {
        int middle = (low + high) / 2;
        if (sea->segment[middle].start > t) high = middle;
        else low = middle;
    }
    return low;
}

static float segment_height(const struct sea_segment *s) { return s->floor == SB_OPEN_WATER ? HIGH : LOW; }

struct sea_camera sea_camera_at(const struct sb_sea *sea, double t)
{
    const float *sway = sea->sway;
    float s = (float)t;
    int i = segment_at(sea, t);
    float height = segment_height(&sea->segment[i]);
    if (i > 0) {
        /* Rising and sinking are over 3 s after a border. */
        float part = sea_smooth(0.0f, 3.0f, (float)(t - sea->segment[i].start));
        height = sea_mix(segment_height(&sea->segment[i - 1]), height, part);
    }
    struct sea_camera c;
    c.focal = FOCAL * (float)sea->height;
    c.centre = 0.5f * (float)sea->width;
    float nod = 0.012f * sea_wave(s * 0.11f + sway[0]) + 0.006f * sea_wave(s * 0.29f + sway[1]);
    c.horizon = (float)sea->height * (HORIZON + nod);
    c.x = sea->speed * t + (double)(0.10f * sea_wave(s * 0.09f + sway[2]));
    c.z = (double)(0.15f * sea_wave(s * 0.07f + sway[3]));
    c.height = height + 0.05f * sea_wave(s * 0.13f + sway[4]);
    return c;
}

/* ---- where an animal is in the frame ----------------------------------------------------------------------------- */

struct spot {
    float x, y, scale;
};

static struct spot spot_at(const struct sea_camera *c, const struct sea_animal *a, double t)
{
    float away = (float)(a->x + a->speed * t - c->x);
    float bob = sea_on_floor(a->kind) ? 0.0f : 0.03f * sea_wave((float)t * 0.21f + a->phase);
    float per_metre = c->focal / a->distance;
    return (struct spot){c->centre + away * per_metre, c->horizon + (c->height - a->altitude + bob) * per_metre,
                         a->size * per_metre};
}

void sea_place(const struct sb_sea *sea, const struct sea_animal *a, double t, struct sea_pose *pose)
{
    struct sea_camera c = sea_camera_at(sea, t);
    struct spot s = spot_at(&c, a, t);
    sea_pose_animal(a, t, s.x, s.y, s.scale, pose);
}

/* The part of the box x0 y0 x1 y1 that lies in the frame; clips the box. */
static float clip(const struct sb_sea *sea, float box[4])
{
    float whole = (box[2] - box[0]) * (box[3] - box[1]);
    box[0] = sea_clamp(box[0], 0, (float)sea->width);
    box[1] = sea_clamp(box[1], 0, (float)sea->height);
    box[2] = sea_clamp(box[2], 0, (float)sea->width);
    box[3] = sea_clamp(box[3], 0, (float)sea->height);
    float in = (box[2] - box[0]) * (box[3] - box[1]);
    return whole > 0 && in > 0 ? in / whole : 0.0f;
}

/* Roughly where it is, without posing it. */
static float rough_box(const struct sb_sea *sea, const struct sea_camera *c, const struct sea_animal *a, double t,
                       float box[4])
{
    struct spot s = spot_at(c, a, t);
    for (int i = 0; i < 4; i++) box[i] = (i & 1 ? s.y : s.x) + s.scale * a->reach[i];
    float raw[4] = {box[0], box[1], box[2], box[3]};
    return clip(sea, raw);
}

static float share_in_view(const struct sb_sea *sea, const struct sea_animal *a, double t, float box[4])
{
    if (t < a->from || t > a->until) return 0.0f;
    struct sea_camera c = sea_camera_at(sea, t);
    float rough[4];
    if (rough_box(sea, &c, a, t, rough) <= 0.0f) return 0.0f;
    static _Thread_local struct sea_pose pose;
    sea_place(sea, a, t, &pose);
    memcpy(box, pose.box, sizeof pose.box);
    return clip(sea, box);
}

static float area(const struct sb_sighting *s) { return s->box[2] * s->box[3]; }

int sb_sea_visible(const struct sb_sea *sea, double t, struct sb_sighting *out)
{
    int n = 0;
    for (size_t i = 0; i < sea->animals && n < SB_SEA_VISIBLE; i++) {
        const struct sea_animal *a = &sea->animal[i];
        float box[4];
        if (share_in_view(sea, a, t, box) < 0.4f) continue;
        struct sb_sighting s = {(int)i, a->kind, a->colour, {box[0], box[1], box[2] - box[0], box[3] - box[1]},
                                a->distance};
        int at = n++;
        while (at > 0 && area(&out[at - 1]) < area(&s)) {
            out[at] = out[at - 1];
            at--;
        }
        out[at] = s;
    }
    return n;
}

enum sb_floor sb_sea_floor(const struct sb_sea *sea, double t)
{
    struct sea_camera c = sea_camera_at(sea, t);
    if (c.height > 5.0f) return SB_OPEN_WATER;
    enum sb_floor floor = sea->segment[0].ground;
    for (int i = 1; i < sea->segments && sea->segment[i].start * sea->speed <= c.x; i++) floor = sea->segment[i].ground;
    return floor;
}

bool sb_sea_clear(const struct sb_sea *sea, double t)
{
    struct sea_camera c = sea_camera_at(sea, t);
    if (c.height > LOW + 0.4f && c.height < HIGH - 1.0f) return false;
    double half = 3.0 * (double)(c.centre / c.focal);
    for (int i = 1; i < sea->segments && c.height < HIGH - 1.0f; i++) {
        double border = sea->segment[i].start * sea->speed;
        if (sea->segment[i].ground != sea->segment[i - 1].ground && fabs(border - c.x) < half) return false;
    }
    for (size_t i = 0; i < sea->animals; i++) {
        float box[4], share = share_in_view(sea, &sea->animal[i], t, box);
        if (share > 0.05f && share < 0.65f) return false;
    }
    return true;
}

/* ---- making a dive ----------------------------------------------------------------------------------------------- */

static void make_water(struct sb_sea *sea, struct sb_rng *rng)
{
    static const float blue[3] = {0.015f, 0.115f, 0.21f}, green[3] = {0.025f, 0.16f, 0.15f};
    struct sea_water *w = &sea->water;
    float greenness = (float)sb_rng_uniform(rng), bright = (float)sb_rng_range(rng, 0.45, 0.85),
          murk = (float)sb_rng_range(rng, 0.85, 1.15);
    for (int c = 0; c < 3; c++) w->veil[c] = bright * sea_mix(blue[c], green[c], greenness);
    w->loss[0] = murk * (float)sb_rng_range(rng, 0.24, 0.32);
    w->loss[1] = murk * sea_mix(0.15f, 0.125f, greenness);
    w->loss[2] = murk * sea_mix(0.125f, 0.165f, greenness);
    float day = (float)sb_rng_range(rng, 0.25, 0.5), lamp = (float)sb_rng_range(rng, 1.2, 1.7);
    const float warm[3] = {1.18f, 1.0f, 0.88f}, cold[3] = {0.7f, 1.0f, 1.1f};
    for (int c = 0; c < 3; c++) {
        w->ambient[c] = day * cold[c];
        w->lamp[c] = lamp * warm[c];
    }
    w->snow = (float)sb_rng_range(rng, 0.4, 1.0);
    w->noise = (float)sb_rng_range(rng, 1.0, 2.2);
}

static void make_floors(struct sb_sea *sea, struct sb_rng *rng)
{
    static const float tint[3][2][3] = {
        {{0.46f, 0.39f, 0.27f}, {0.85f, 0.77f, 0.58f}},
        {{0.20f, 0.19f, 0.18f}, {0.46f, 0.33f, 0.32f}},
        {{0.13f, 0.105f, 0.08f}, {0.27f, 0.23f, 0.18f}},
    };
    for (int f = 0; f < 3; f++)
        for (int k = 0; k < 2; k++)
            for (int c = 0; c < 3; c++) sea->floor_tint[f][k][c] = tint[f][k][c] * (float)sb_rng_range(rng, 0.88, 1.12);
    float turn = (float)sb_rng_uniform(rng);
    sea->floor_turn[0] = sea_wave(turn + 0.25f);
    sea->floor_turn[1] = sea_wave(turn);
    static const int crowds[] = {1, 1, 2, 2, 2, 3, 3, 3, 4, 4};
    size_t cap = 0;
    enum sb_floor ground = (enum sb_floor)sb_rng_below(rng, 3);
    for (double t = 0; t < sea->seconds || sea->segments == 0; t += sb_rng_range(rng, 7.0, 11.0)) {
        SB_GROW(sea->segment, cap, sea->segments + 1);
        struct sea_segment *s = &sea->segment[sea->segments++];
        bool open = sb_rng_below(rng, 4) == 0 && (sea->segments == 1 || s[-1].floor != SB_OPEN_WATER);
        if (!open || sea->segments == 1) ground = (enum sb_floor)((ground + 1 + sb_rng_below(rng, 2)) % 3);
        s->start = t;
        s->ground = ground;
        s->floor = open ? SB_OPEN_WATER : ground;
        s->crowd = crowds[sb_rng_below(rng, sizeof crowds / sizeof *crowds)];
    }
}

struct looks {
    enum sb_colour colour[4];
    int colours;
    int pattern[3];
    float small, large;  /* of the frame's shorter side */
    float slow, fast;    /* metres a second through the water */
};

static const struct looks looks[SB_ANIMALS] = {
    [SB_FISH] = {{SB_ORANGE, SB_BLUE, SB_YELLOW}, 3, {SEA_PLAIN, SEA_STRIPES, SEA_SPOTS}, 0.30f, 0.50f, 0.25f, 0.9f},
    [SB_SHARK] = {{SB_GREY, SB_BLUE}, 2, {SEA_PLAIN, SEA_PLAIN, SEA_SPOTS}, 0.55f, 0.80f, 0.3f, 0.8f},
    [SB_JELLYFISH] = {{SB_WHITE, SB_PURPLE, SB_BLUE}, 3, {SEA_PLAIN, SEA_LINES, SEA_PLAIN}, 0.36f, 0.55f, 0.0f, 0.1f},
    [SB_SQUID] = {{SB_RED, SB_WHITE, SB_ORANGE}, 3, {SEA_PLAIN, SEA_SPOTS, SEA_PLAIN}, 0.42f, 0.62f, 0.25f, 0.8f},
    [SB_SEA_STAR] = {{SB_ORANGE, SB_RED, SB_PURPLE, SB_BLUE}, 4, {SEA_PLAIN, SEA_SPOTS, SEA_SPOTS}, 0.30f, 0.44f, 0, 0},
    [SB_CRAB] = {{SB_RED, SB_ORANGE, SB_WHITE}, 3, {SEA_PLAIN, SEA_SPOTS, SEA_PLAIN}, 0.33f, 0.48f, 0.02f, 0.12f},
    [SB_SEA_CUCUMBER] = {{SB_RED, SB_YELLOW, SB_PURPLE}, 3, {SEA_PLAIN, SEA_SPOTS, SEA_SPOTS}, 0.34f, 0.5f, 0, 0},
    [SB_ANEMONE] = {{SB_WHITE, SB_PURPLE, SB_ORANGE, SB_YELLOW}, 4, {SEA_PLAIN, SEA_LINES, SEA_PLAIN}, 0.32f, 0.48f,
                    0, 0},
};
static const enum sb_colour mark_of[SB_COLOURS] = {
    [SB_ORANGE] = SB_WHITE, [SB_BLUE] = SB_YELLOW, [SB_WHITE] = SB_ORANGE, [SB_RED] = SB_WHITE,
    [SB_YELLOW] = SB_BLUE,  [SB_PURPLE] = SB_WHITE, [SB_GREY] = SB_WHITE,
};

static void measure(struct sea_animal *a)
{
    static _Thread_local struct sea_pose pose;
    sea_pose_animal(a, 0, 0, 0, 1.0f, &pose);
    memcpy(a->reach, pose.box, sizeof a->reach);
}

/* An animal that is somewhere in view at some moment. */
static void invent(const struct sb_sea *sea, struct sb_rng *rng, enum sb_animal kind, struct sea_animal *a)
{
    const struct looks *l = &looks[kind];
    bool floor = sea_on_floor(kind);
    memset(a, 0, sizeof *a);
    a->kind = kind;
    a->colour = l->colour[sb_rng_below(rng, (uint32_t)l->colours)];
    a->mark = mark_of[a->colour];
    a->pattern = l->pattern[sb_rng_below(rng, 3)];
    a->seed = sb_rng_u32(rng);
    a->phase = (float)sb_rng_uniform(rng);
    a->facing = sb_rng_below(rng, 2) ? 1.0f : -1.0f;
    double lean = floor ? 0.01 : kind == SB_JELLYFISH ? 0.05 : 0.035;
    a->tilt = (float)sb_rng_range(rng, -lean, lean);
    a->distance = (float)(floor ? sb_rng_range(rng, 2.7, 4.0) : sb_rng_range(rng, 2.0, 4.2));
    double pace = sb_rng_range(rng, (double)l->slow, (double)l->fast);
    a->speed = pace * (double)a->facing;
    if (kind == SB_FISH || kind == SB_SHARK || kind == SB_SQUID) {
        if (a->facing > 0) a->speed = sea->speed + (sb_rng_below(rng, 2) ? pace : -pace * 0.6);
    }
    double t = sb_rng_range(rng, -1.0, sea->seconds + 1.0);
    struct sea_camera c = sea_camera_at(sea, t < 0 ? 0 : t);
    measure(a);
    float wide = a->reach[2] - a->reach[0], tall = a->reach[3] - a->reach[1], most = wide > tall ? wide : tall;
    float side = (float)(sea->width < sea->height ? sea->width : sea->height),
          apparent = side * (float)sb_rng_range(rng, (double)l->small, (double)l->large);
    a->size = apparent / most * a->distance / c.focal;
    double screen_x = sb_rng_range(rng, 0.1, 0.9) * (double)sea->width,
           screen_y = sb_rng_range(rng, 0.18, 0.66) * (double)sea->height;
    double world_x = c.x + (screen_x - (double)c.centre) * (double)(a->distance / c.focal);
    a->x = world_x - a->speed * t;
    a->altitude = floor ? 0.0f : c.height - ((float)screen_y - c.horizon) * a->distance / c.focal;
}

/* A companion of the same kind and colour, moving along. */
static void accompany(struct sb_rng *rng, const struct sea_animal *other, struct sea_animal *a)
{
    *a = *other;
    a->seed = sb_rng_u32(rng);
    a->phase = (float)sb_rng_uniform(rng);
    a->size *= (float)sb_rng_range(rng, 0.85, 1.1);
    double side = sb_rng_below(rng, 2) ? 1.0 : -1.0;
    a->x += side * (double)a->size * sb_rng_range(rng, 0.8, 1.6);
    if (!sea_on_floor(a->kind)) a->altitude += a->size * (float)sb_rng_range(rng, -0.7, 0.7);
    a->distance += (float)sb_rng_range(rng, -0.25, 0.25);
    if (a->distance < 2.0f) a->distance = 2.0f;
    measure(a);
}

static bool collide(const float a[4], const float b[4])
{
    float w = (a[2] < b[2] ? a[2] : b[2]) - (a[0] > b[0] ? a[0] : b[0]),
          h = (a[3] < b[3] ? a[3] : b[3]) - (a[1] > b[1] ? a[1] : b[1]);
    if (w <= 0 || h <= 0) return false;
    float one = (a[2] - a[0]) * (a[3] - a[1]), two = (b[2] - b[0]) * (b[3] - b[1]);
    return w * h > 0.12f * (one < two ? one : two);
}

/* When it may be in view at all: the vehicle and the animal pass each other once. */
static void set_meeting(const struct sb_sea *sea, struct sea_animal *a)
{
    double nearer = a->speed - sea->speed,
           half = 0.5 * sea->width / ((double)FOCAL * sea->height) * (double)a->distance,
           reach = half + 1.5 * (double)a->size + 0.3;
    double one = (-a->x - reach) / nearer, two = (-a->x + reach) / nearer;
    a->from = one < two ? one : two;
    a->until = one < two ? two : one;
}

/* Whether `a` may join: nobody is hidden, no moment gets crowded, and it is seen at all. */
static bool fits(const struct sb_sea *sea, const struct sea_animal *a)
{
    float most = 0;
    if (!sea_on_floor(a->kind) && a->altitude < 0.35f * a->size + 0.15f) return false;
    double first = a->from > 0 ? floor(a->from / STEP) * STEP : 0,
           last = a->until < sea->seconds ? a->until : sea->seconds;
    for (double t = first; t <= last; t += STEP) {
        struct sea_camera c = sea_camera_at(sea, t);
        float box[4], other[4], share = rough_box(sea, &c, a, t, box);
        if (share <= 0.0f) continue;
        most = share > most ? share : most;
        int company = 1;
        for (size_t i = 0; i < sea->animals; i++) {
            const struct sea_animal *b = &sea->animal[i];
            if (t < b->from || t > b->until || rough_box(sea, &c, b, t, other) <= 0.0f) continue;
            company++;
            if (collide(box, other)) return false;
        }
        if (company > sea->segment[segment_at(sea, t)].crowd) return false;
    }
    return most > 0.8f;
}

static void make_animals(struct sb_sea *sea, struct sb_rng *rng)
{
    int used[SB_ANIMALS] = {0};
    int tries = 60 + (int)(sea->seconds * 12.0);
    for (int k = 0; k < tries; k++) {
        struct sea_animal a;
        if (sea->animals && sb_rng_below(rng, 5) == 0) {
            accompany(rng, &sea->animal[sb_rng_below(rng, (uint32_t)sea->animals)], &a);
        } else {
            /* Of two kinds the one that was seen less, so that a dive shows many. */
            uint32_t one = sb_rng_below(rng, SB_ANIMALS), two = sb_rng_below(rng, SB_ANIMALS);
            invent(sea, rng, (enum sb_animal)(used[one] <= used[two] ? one : two), &a);
        }
        set_meeting(sea, &a);
        if (!fits(sea, &a)) continue;
        SB_GROW(sea->animal, sea->animal_cap, sea->animals + 1);
        sea->animal[sea->animals++] = a;
        used[a.kind]++;
    }
}

struct sb_sea *sb_sea_new(uint64_t seed, double seconds, int width, int height)
{
    struct sb_sea *sea = sb_calloc(1, sizeof *sea);
    struct sb_rng rng;
    sb_rng_init(&rng, seed, 0x5ea);
    sea->seed = seed;
    sea->seconds = seconds;
    sea->width = width;
    sea->height = height;
    sea->speed = sb_rng_range(&rng, 0.55, 0.75);
    for (int i = 0; i < 6; i++) sea->sway[i] = (float)sb_rng_uniform(&rng);
    make_water(sea, &rng);
    make_floors(sea, &rng);
    make_animals(sea, &rng);
    sea->lamps = sb_malloc(sizeof *sea->lamps * (size_t)width * (size_t)height);
    sea_make_lamps(sea->lamps, width, height);
    sea->grain = sb_malloc(sizeof *sea->grain * (SEA_GRAIN + (size_t)width));
    sea_make_grain(sea->grain, SEA_GRAIN + width, (uint32_t)seed);
    return sea;
}

void sb_sea_free(struct sb_sea *sea)
{
    if (!sea) return;
    free(sea->segment);
    free(sea->animal);
    free(sea->lamps);
    free(sea->grain);
    free(sea);
}
