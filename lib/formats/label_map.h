/* A map of label names: a table of two or three columns, the old name, the new one and, where given, the AphiaID of the
 * new one in the World Register of Marine Species (a number, or an LSID, urn:lsid:marinespecies.org:taxname:N).
 *
 * The first row is a header where its first two cells are old and new, or from and to, or where its first is label (in
 * any case). A header's third column counts only where it is called aphia_id or AphiaID; without a header it always
 * does; further columns are comments. An empty new name removes the old one. Names are compared byte for byte, and are
 * mapped once: what a new name is mapped to does not matter. */
#ifndef SB_FORMATS_LABEL_MAP_H
#define SB_FORMATS_LABEL_MAP_H

#include "base/dictionary.h"

struct sb_label_target {
    char *name;       /* "": the label is removed */
    int64_t aphia_id; /* 0: not given */
};

/* A zeroed one is empty and valid; it knows no name. */
struct sb_label_map {
    struct sb_dictionary from;
    struct sb_label_target *target; /* [from.count] */
    size_t cap;
    struct sb_dictionary unmapped; /* names that were asked for in vain, and how often: the first few thousand; */
    uint64_t *times;
    size_t times_cap;
    uint64_t others; /* how often other ones were */
};

/* Reads a file into map, which the caller frees, also after an error. -1
 * with a message that names file and line: a row without a new name's cell, an old name twice with different new ones,
 * a third cell that is no AphiaID. */
int sb_label_map_read(const char *path, struct sb_label_map *map);

/* What a name (not NUL-terminated) becomes; NULL, and it is counted as unmapped, where the map does not have it. An
 * empty name has no target and is not counted. */
const struct sb_label_target *sb_label_map_find(struct sb_label_map *map, const char *name, size_t size);

/* Says which names were unmapped, the commonest first: "map.tsv: 2 names are not in it and stay: 'crab' (12), 'eel'
 * (1)". Nothing where there were none. */
void sb_label_map_report(const struct sb_label_map *map, const char *path);

void sb_label_map_free(struct sb_label_map *map);

#endif
