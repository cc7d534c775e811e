/* What VARS says of an observation beside its concept: associations, "link name | to concept | link value". Those with
 * the link name "bounding box" have a box as JSON for their value: {"x": 1, "y": 2, "width": 3, "height": 4, ...}. */
#ifndef SB_ANNOTATION_VARS_ASSOCIATIONS_H
#define SB_ANNOTATION_VARS_ASSOCIATIONS_H

#include <jansson.h>

#include "annotation/gathered.h"

/* Those of one observation. A zeroed one is valid; reused. */
struct sb_vars_associations {
    struct sb_gathered texts; /* of those that are no boxes */
    struct sb_dictionary seen;
    json_t **box; /* [boxes] */
    size_t boxes, cap;
    size_t spoilt; /* boxes that are none: they are among the texts */
};

void sb_vars_associations_begin(struct sb_vars_associations *a);
/* Adds one, which may have been added before: rows of a query repeat them. */
void sb_vars_associations_add(struct sb_vars_associations *a, const char *link, const char *to, const char *value);
/* Adds all of a cell, in which ',' or ';' stand between them. */
void sb_vars_associations_read(struct sb_vars_associations *a, const char *cell);
/* One of `box`, and what else its JSON has as texts: `confidence` if it is a number, the others in the map
 * `attributes`. */
void sb_vars_box(const json_t *json, double box[4], struct sb_gathered *memory, struct sb_record *fields);
void sb_vars_associations_free(struct sb_vars_associations *a);

#endif
