/* Why this hash, and why 4 and 24 bits. Measured by tests/bench/dedup on 1,470 pictures (fish, plankton, a tank) and 12
 * altered copies of each: 8 that keep the frame (JPEG quality 85, 50 and 30, half and 1.5 times the size, a colour cast,
 * gamma 1.3, paler), one mirrored, 3 cut; each against all originals of other animals, 26 million pairs:
 *
 *                                    frame kept, missed   mirrored   cut     other pictures taken
 *   64 bits, at most 4                     1.1 %            all      75 %          2e-5
 *   64 bits, 4, flips and crops            1.2 %            0        1.4 %         7e-5
 *   256 bits, 24                           1.0 %            all      91 %          0
 *   256 bits, 24, flips and crops          2.1 %            0        0.8 %         8e-8
 *   256 bits, 32, flips and crops          0.9 %            0        0.1 %         2e-6
 *
 * A dropped picture is lost while a copy that stays costs little, hence the low ones. The diagonals of the transform,
 * rather than its 8 x 8 corner, hold more of what tells small animals apart, and signs need no median. Windows
 * need a hash of the middle nine tenths, which by itself tells less apart: among 355 pictures of 48 tracks of fish 64 bits of
 * it, at most 4, take one for one of another track, those of the whole none up to 6. So it is made for crops alone.
 *
 * A bit is set only where the wave is higher than an eighth of a grey level: in empty water all waves are noise, and
 * with plain signs two such frames differ in 28 bits of 64; so they differ in 1 or 2.
 *
 * JPEGs are decoded at a fraction of their size (media/thumb.h): that moves 0.26 bits of 256 on average. */
#include "select/phash.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

#define SIDE SB_PHASH_SIDE
#define WAVES 24    /* frequencies an axis, of which 23 are used: diagonals 1 to 22 of the transform hold 275 pairs */
#define LEAST 0.125f /* grey levels */
#define RANGES 9

/* Where windows begin and end on an axis. If one picture is a part of the other, from a to b, the middle of the larger
 * lies in the smaller from (0.05 - a) / (b - a) to (0.95 - a) / (b - a), and the middle of the smaller in the larger
 * from a + 0.05 (b - a) to a + 0.95 (b - a); a and b are 0, 0.025 or 0.05 from the edges. */
static const double range[RANGES][2] = {
    {0.05, 0.95},                                                    /* the middle */
    {0.025 / 0.95, 0.925 / 0.95}, {0, 1},                            /* the larger one's, of 95 and 90 % */
    {0, 0.9 / 0.95}, {0.05 / 0.95, 1},                               /* of 95 % at the end, at the start */
    {0.0725, 0.9275}, {0.095, 0.905}, {0.0975, 0.9525}, {0.0475, 0.9025}, /* the smaller one's */
};
static const uint8_t window[SB_PHASH_WINDOWS][2] = { /* ranges across and down */
    {0, 0}, {1, 1}, {2, 2}, {3, 3}, {3, 4}, {4, 3}, {4, 4}, {5, 5}, {6, 6}, {7, 7}, {7, 8}, {8, 7}, {8, 8},
};

static const uint8_t whole[1][2] = {{2, 2}}; /* its range is all of an axis */

static float wave[RANGES][SIDE][WAVES]; /* the cosines of a range's waves; 0 where it does not reach */
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* The share of pixel x that the range covers, times the cosine in the middle of what it covers. Cosines are rounded, so
 * that no mathematics library has a say in the bits. */
static void make_range(int r)
{
    double begin = SIDE * range[r][0], end = SIDE * range[r][1], span = end - begin;
    for (int x = 0; x < SIDE; x++) {
        double from = x > begin ? x : begin, to = x + 1 < end ? x + 1 : end;
        if (to <= from) continue;
        for (int u = 0; u < WAVES; u++) {
            double height = cos(M_PI * u * ((from + to) / 2 - begin) / span) * (to - from) * 2 / span;
            wave[r][x][u] = (float)(round(height * (1 << 20)) / (1 << 20));
        }
    }
}

static void make(void)
{
    for (int r = 0; r < RANGES; r++) make_range(r);
}

static void transform_rows(const float grey[SIDE][SIDE], int r, float row[SIDE][WAVES])
{
    memset(row, 0, sizeof(float[SIDE][WAVES]));
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            for (int u = 0; u < WAVES; u++) row[y][u] += grey[y][x] * wave[r][x][u];
}

static void transform_columns(float row[SIDE][WAVES], int r, int waves, float height[WAVES][WAVES])
{
    memset(height, 0, sizeof(float[WAVES][WAVES]));
    for (int y = 0; y < SIDE; y++)
        for (int v = 0; v < waves; v++)
            for (int u = 0; u < WAVES; u++) height[v][u] += wave[r][y][v] * row[y][u];
}

/* Mirroring turns over the waves with an odd number of halves across. */
static struct sb_phash signs(float height[WAVES][WAVES], int bits, bool mirrored)
{
    struct sb_phash hash = {{0}};
    for (int bit = 0, diagonal = 1; bit < bits; diagonal++)
        for (int v = 0; v <= diagonal && bit < bits; v++, bit++) {
            int u = diagonal - v;
            float h = mirrored && u % 2 ? -height[v][u] : height[v][u];
            hash.word[bit / 64] |= (uint64_t)(h > LEAST) << (63 - bit % 64);
        }
    return hash;
}

void sb_phash(const float grey[SIDE][SIDE], int bits, int windows, struct sb_phash *hash, struct sb_phash *mirrored)
{
    float row[SIDE][WAVES], height[WAVES][WAVES];
    const uint8_t(*of)[2] = windows > 1 ? window : whole;
    int across = -1;
    pthread_once(&once, make);
    for (int w = 0; w < windows; w++) {
        if (of[w][0] != across) transform_rows(grey, across = of[w][0], row);
        transform_columns(row, of[w][1], bits == 64 ? 11 : 23, height);
        hash[w] = signs(height, bits, false);
        if (mirrored) mirrored[w] = signs(height, bits, true);
    }
}
