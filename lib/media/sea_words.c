/* Names, and captions made of them. */
#include <stdio.h>

#include "media/sea_inner.h"

static const char *const animal_name[SB_ANIMALS][2] = {
    [SB_FISH] = {"fish", "fish"},
    [SB_SHARK] = {"shark", "sharks"},
    [SB_JELLYFISH] = {"jellyfish", "jellyfish"},
    [SB_SQUID] = {"squid", "squid"},
    [SB_SEA_STAR] = {"sea star", "sea stars"},
    [SB_CRAB] = {"crab", "crabs"},
    [SB_SEA_CUCUMBER] = {"sea cucumber", "sea cucumbers"},
    [SB_ANEMONE] = {"anemone", "anemones"},
};
static const char *const colour_name[SB_COLOURS] = {
    [SB_ORANGE] = "orange", [SB_BLUE] = "blue",     [SB_WHITE] = "white", [SB_RED] = "red",
    [SB_YELLOW] = "yellow", [SB_PURPLE] = "purple", [SB_GREY] = "grey",
};
static const char *const floor_name[SB_FLOORS] = {"sand", "rock", "mud", "open water"};
static const char *const number[] = {"no", "one", "two", "three", "four", "five", "six", "seven", "eight"};

const char *sb_animal_name(enum sb_animal kind) { return animal_name[kind][0]; }
const char *sb_colour_name(enum sb_colour colour) { return colour_name[colour]; }
const char *sb_floor_name(enum sb_floor floor) { return floor_name[floor]; }

struct group {
    int count;
    int colour; /* -1: several */
};

static void group_words(enum sb_animal kind, const struct group *g, char *buf, size_t size)
{
    const char *colour = g->colour >= 0 ? colour_name[g->colour] : "", *name = animal_name[kind][g->count > 1];
    const char *first = *colour ? colour : name, *count = strchr("aeiou", *first) ? "an" : "a";
    if (g->count > 1) count = number[g->count];
    snprintf(buf, size, "%s %s%s%s", count, colour, *colour ? " " : "", name);
}

const char *sb_sea_caption(const struct sb_sighting *seen, int count, enum sb_floor floor, char buf[SB_CAPTION])
{
    struct group group[SB_ANIMALS] = {{0, 0}};
    int kinds = 0, done = 0;
    if (count > SB_SEA_VISIBLE) count = SB_SEA_VISIBLE;
    for (int i = 0; i < count; i++) {
        struct group *g = &group[seen[i].kind];
        kinds += g->count == 0;
        g->colour = g->count == 0 || g->colour == (int)seen[i].colour ? (int)seen[i].colour : -1;
        g->count++;
    }
    if (!kinds) {
        snprintf(buf, SB_CAPTION, "nothing but %s", floor_name[floor]);
        return buf;
    }
    size_t n = 0;
    for (int kind = 0; kind < SB_ANIMALS; kind++) {
        if (!group[kind].count) continue;
        char words[64];
        group_words((enum sb_animal)kind, &group[kind], words, sizeof words);
        const char *joint = done == 0 ? "" : done == kinds - 1 ? " and " : ", ";
        n += (size_t)snprintf(buf + n, SB_CAPTION - n, "%s%s", joint, words);
        done++;
    }
    snprintf(buf + n, SB_CAPTION - n, "%s%s", floor == SB_OPEN_WATER ? " in " : " over ", floor_name[floor]);
    return buf;
}
