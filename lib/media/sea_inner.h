/* What the files of the synthetic sea share: the dive, an animal's parts, arithmetic that is equal everywhere. */
#ifndef SB_MEDIA_SEA_INNER_H
#define SB_MEDIA_SEA_INNER_H

#include "media/sea.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/rng.h"

/* ---- arithmetic -------------------------------------------------------------------------------------------------- */

static inline float sea_clamp(float x, float lo, float hi) { return x < lo ? lo : x > hi ? hi : x; }
static inline float sea_mix(float a, float b, float t) { return a + (b - a) * t; }
static inline float sea_smooth(float lo, float hi, float x)
{
    float t = sea_clamp((x - lo) / (hi - lo), 0.0f, 1.0f);
    return t * t * (3.0f - 2.0f * t);
}

/* sin(2 pi turns), to about 1e-5. */
static inline float sea_wave(float turns)
{
    float x = turns - (float)(int)turns; /* (-1, 1) */
    x = x > 0.5f ? x - 1.0f : x < -0.5f ? x + 1.0f : x;
    x = x > 0.25f ? 0.5f - x : x < -0.25f ? -0.5f - x : x;
    float a = x * 6.2831853f, s = a * a;
    return a * (1.0f + s * (-0.16666667f + s * (8.3333333e-3f + s * (-1.9841270e-4f + s * 2.7557319e-6f))));
}

/* e^x for x in [-80, 80], to about 1e-6 of its value. */
static inline float sea_exp(float x)
{
    float y = sea_clamp(x, -80.0f, 80.0f) * 1.44269504f;
    int k = (int)(y + (y < 0.0f ? -0.5f : 0.5f));
    float r = (y - (float)k) * 0.69314718f;
    float e = 1.0f + r * (1.0f + r * (0.5f + r * (0.16666667f + r * (0.041666667f + r * 8.3333333e-3f))));
    union { uint32_t u; float f; } two = {(uint32_t)(k + 127) << 23};
    return e * two.f;
}

static inline uint32_t sea_hash(uint32_t x)
{
    x = (x ^ (x >> 16)) * 0x7feb352du;
    x = (x ^ (x >> 15)) * 0x846ca68bu;
    return x ^ (x >> 16);
}
static inline float sea_chance(uint32_t a, uint32_t b) /* [0, 1) */
{
    return (float)(sea_hash(a * 0x9e3779b9u + sea_hash(b)) >> 8) * (1.0f / 16777216.0f);
}

/* ---- the dive ---------------------------------------------------------------------------------------------------- */

struct sea_animal {
    enum sb_animal kind;
    enum sb_colour colour, mark; /* mark: of its stripes or spots */
    int pattern;
    uint32_t seed;
    double x, speed; /* metres along the track at time 0, metres a second */
    double from, until; /* not in view before and after */
    float altitude;  /* of its centre, or of its foot where it lives on the floor */
    float distance, size, tilt, phase;
    float facing;    /* 1 right, -1 left */
    float reach[4];  /* x0 y0 x1 y1 around its place, in units of its size */
};

struct sea_segment {
    double start;
    enum sb_floor floor;
    enum sb_floor ground; /* what lies below open water */
    int crowd;            /* most animals in view at once */
};

struct sea_water {
    float loss[3]; /* a metre */
    float veil[3]; /* the colour of endless water */
    float ambient[3], lamp[3];
    float snow, noise;
};

struct sb_sea {
    uint64_t seed;
    double seconds;
    int width, height;
    struct sea_water water;
    float *lamps; /* how brightly each pixel of the frame is lit */
    float *grain; /* SEA_GRAIN + width random numbers */
    struct sea_segment *segment;
    int segments;
    struct sea_animal *animal;
    size_t animals, animal_cap;
    double speed; /* of the vehicle along its track */
    float sway[6];
    float floor_turn[2];       /* cosine and sine of the floor texture's heading */
    float floor_tint[3][2][3]; /* floor, tone, channel */
};

struct sea_camera {
    float focal, centre, horizon; /* pixels */
    double x, z;                  /* metres */
    float height;                 /* above the floor */
};

struct sea_camera sea_camera_at(const struct sb_sea *sea, double t);

extern const float sea_rgb[SB_COLOURS][3];
bool sea_on_floor(enum sb_animal kind);

/* ---- parts of animals -------------------------------------------------------------------------------------------- */

/* A part is a band along a spine with a half width at each point: bodies, arms, fins and tentacles are all bands. */
#define SEA_POINTS 20
#define SEA_PARTS 72

enum { SEA_PLAIN, SEA_STRIPES, SEA_SPOTS, SEA_LINES, SEA_PATTERNS };

struct sea_part {
    int points;
    float x[SEA_POINTS], y[SEA_POINTS], w[SEA_POINTS]; /* pixels once placed */
    float tx[SEA_POINTS], ty[SEA_POINTS];              /* unit direction of the spine */
    float along[SEA_POINTS];                           /* length up to here */
    float base[3], belly[3], mark[3];
    int pattern;
    float pitch;       /* stripes or spots along the spine */
    float alpha, rim;  /* rim: how much clearer the middle is than the edge (a bell) */
    float round, soft; /* 1: a tube, 0: flat; soft: width of the edge in pixels */
    float texture;     /* strength of the mottling */
    float grain;       /* its texels a pixel */
    float box[4];      /* x0 y0 x1 y1 */
    bool shadow;       /* darkens instead of covering */
};

struct sea_pose {
    struct sea_part part[SEA_PARTS];
    int parts;
    float distance;
    float scale;  /* pixels a unit of the animal's own length */
    float box[4]; /* x0 y0 x1 y1 of everything but the shadow, not clipped */
};

/* Poses the animal at t and places it in the frame. */
void sea_pose_animal(const struct sea_animal *a, double t, float x, float y, float scale, struct sea_pose *pose);
void sea_place(const struct sb_sea *sea, const struct sea_animal *a, double t, struct sea_pose *pose);

/* ---- drawing ----------------------------------------------------------------------------------------------------- */

#define SEA_BAND 32

/* Some rows of the frame in linear light, three planes, and the lamps' pattern on them. */
struct sea_band {
    int width, y0, y1;
    float *rgb[3];
    const float *lamp;
};

/* What distance does to light: seen = colour * (ambient + lamp * pattern) + scatter * (1 + glow * pattern). */
struct sea_haze {
    float ambient[3], lamp[3], scatter[3];
};
#define SEA_GRAIN 4096
void sea_make_lamps(float *out, int width, int height);
void sea_make_grain(float *grain, int count, uint32_t seed);

#define SEA_GLOW 0.55f
struct sea_haze sea_haze_at(const struct sb_sea *sea, float distance);

#define SEA_TILE 512 /* side of a floor texture, and of the noise, in texels */
const float *sea_noise(void); /* SEA_TILE squared, 0 to 1, repeats */
void sea_floor_rows(const struct sb_sea *sea, const struct sea_camera *camera, const struct sea_band *band);
void sea_draw_pose(const struct sea_pose *pose, const struct sea_haze *haze, const struct sea_band *band);

#endif
