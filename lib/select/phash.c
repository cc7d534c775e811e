/* Why this hash, and why 4 bits. Measured on 952 crops of reef fish and plankton: a third of them against 11 changed
 * copies (JPEG quality 85 and 50, half and 1.5 times the size, squashed, brighter, less contrast, gamma 1.2, a colour
 * cast, noise, smaller and JPEG 60), and each against all of other tracks (452,000 pairs):
 *
 *                                        copies missed at 4, 6, 8 bits    other pictures taken at 4, 6, 8 bits
 *   this one                               1.9 %   0.8 %   0.6 %             7e-6   6e-5   2e-4
 *   the 8 x 8 corner against its median    2.0 %   0.9 %   0.6 %             3e-5   1e-4   4e-4
 *   gradients of 9 x 8 pixels (dHash)      7.8 %   3.7 %   2.2 %             4e-4   2e-3   6e-3
 *
 * The diagonals of the transform, rather than its 8 x 8 corner, hold more of what tells small animals apart. Signs need
 * no median. A dropped picture is lost while a copy that stays costs little, hence 4 bits rather than 6.
 *
 * A bit is set only where the wave is higher than an eighth of a grey level: in empty water all waves are noise, and
 * with plain signs two such frames differ in 28 bits; so they differ in 1 or 2. */
#include "select/phash.h"

#include <math.h>
#include <pthread.h>

#define SIDE SB_PHASH_SIDE
#define WAVES 11 /* frequencies an axis: diagonals 1 to 10 of the transform hold 65 pairs, of which 64 are used */
#define ONE (1 << 14)

static int32_t wave[WAVES][SIDE]; /* cosines, ONE is 1 */
static pthread_once_t wave_once = PTHREAD_ONCE_INIT;

static void wave_make(void)
{
    for (int u = 0; u < WAVES; u++)
        for (int x = 0; x < SIDE; x++) wave[u][x] = (int32_t)lround(ONE * cos(M_PI * (2 * x + 1) * u / (2 * SIDE)));
}

uint64_t sb_phash(const uint8_t *rgb)
{
    /* An eighth of a grey level: a wave of that height sums to 1/8 x 16 x 16, in units of thousandths and ONE
     * squared. */
    const int64_t least = (int64_t)32 * 1000 * ONE * ONE;
    int64_t row[SIDE][WAVES];

    pthread_once(&wave_once, wave_make);
    for (int y = 0; y < SIDE; y++) {
        int64_t grey[SIDE];
        for (int x = 0; x < SIDE; x++) {
            const uint8_t *p = rgb + 3 * (y * SIDE + x);
            grey[x] = 299 * p[0] + 587 * p[1] + 114 * p[2];
        }
        for (int u = 0; u < WAVES; u++) {
            row[y][u] = 0;
            for (int x = 0; x < SIDE; x++) row[y][u] += wave[u][x] * grey[x];
        }
    }

    uint64_t hash = 0;
    int bits = 0;
    for (int diagonal = 1; diagonal < WAVES; diagonal++)
        for (int v = 0; v <= diagonal && bits < 64; v++, bits++) {
            int64_t height = 0;
            for (int y = 0; y < SIDE; y++) height += wave[v][y] * row[y][diagonal - v];
            hash = hash << 1 | (height > least);
        }
    return hash;
}
