/* A synthetic sea: animals that move in front of sea floor and water, seen by the camera and the lamps of a vehicle.
 *
 * A dive is made from a seed: the same seed, length and frame size give the same pixels on any machine, because only
 * IEEE arithmetic that must be rounded correctly is used (no libm beyond sqrt). A dive is constant once it is made, so
 * any number of threads may render it. Distances are metres, times seconds, boxes pixels (x y w h). */
#ifndef SB_MEDIA_SEA_H
#define SB_MEDIA_SEA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/picture.h"

enum sb_animal {
    SB_FISH, SB_SHARK, SB_JELLYFISH, SB_SQUID, SB_SEA_STAR, SB_CRAB, SB_SEA_CUCUMBER, SB_ANEMONE, SB_ANIMALS
};
enum sb_colour { SB_ORANGE, SB_BLUE, SB_WHITE, SB_RED, SB_YELLOW, SB_PURPLE, SB_GREY, SB_COLOURS };
enum sb_floor { SB_SAND, SB_ROCK, SB_MUD, SB_OPEN_WATER, SB_FLOORS };

#define SB_SEA_VISIBLE 8 /* never more animals in view at once */

/* An animal that a person would count: at least two fifths of it in the frame. */
struct sb_sighting {
    int animal; /* its number in the dive: the same animal keeps it */
    enum sb_animal kind;
    enum sb_colour colour;
    float box[4];   /* inside the frame */
    float distance; /* from the camera */
};

struct sb_sea;

/* A dive of `seconds`, for frames of width x height (16 to 8,192). Release with sb_sea_free(). */
struct sb_sea *sb_sea_new(uint64_t seed, double seconds, int width, int height);
void sb_sea_free(struct sb_sea *sea);

/* The frame at t, into `out`, which is sized for it. */
void sb_sea_render(const struct sb_sea *sea, double t, struct sb_picture *out);

/* Who is in view at t, the largest box first; returns their number, at most SB_SEA_VISIBLE. */
int sb_sea_visible(const struct sb_sea *sea, double t, struct sb_sighting *out);
enum sb_floor sb_sea_floor(const struct sb_sea *sea, double t); /* what the caption calls the floor at t */
/* Whether nobody could argue about the caption at t: no animal half in view, no border between two floors near. */
bool sb_sea_clear(const struct sb_sea *sea, double t);

const char *sb_animal_name(enum sb_animal kind); /* "sea star" */
const char *sb_colour_name(enum sb_colour colour);
const char *sb_floor_name(enum sb_floor floor);  /* "sand" */

#define SB_CAPTION 512
/* "two orange fish and a white jellyfish over sand" into buf; returns buf. A colour is named where all animals of the
 * kind share it. */
const char *sb_sea_caption(const struct sb_sighting *seen, int count, enum sb_floor floor, char buf[SB_CAPTION]);

/* Light that is left of `rgb` (linear, 0 to 1) after `metres` of this dive's water, without what the water scatters. */
void sb_sea_attenuate(const struct sb_sea *sea, float metres, float rgb[3]);

#endif
