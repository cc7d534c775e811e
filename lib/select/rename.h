/* Names of labels as another list has them, in all fields of a record that hold such names. */
#ifndef SB_SELECT_RENAME_H
#define SB_SELECT_RENAME_H

#include "base/record.h"
#include "formats/label_map.h"

/* Renames `label`, `labels` and the names in `predicted` by the map, which counts the names that it does not have; they
 * stay. Where a name becomes empty, `label` is removed, an entry of `labels` is left out (or "" where `boxes` run
 * parallel) and a pair of `predicted` is left out; an emptied list is removed. `aphia_id` is the map's, else removed
 * where `label` changed, as `label_path` is; `label_status` and `labelled_by` are removed where no label is left. -1 with a message if a
 * field is of another type. */
int sb_rename_labels(struct sb_record *rec, struct sb_label_map *map);

#endif
