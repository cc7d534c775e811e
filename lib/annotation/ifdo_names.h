/* The labels and the annotators that an iFDO's annotations refer to by their ids. */
#ifndef SB_ANNOTATION_IFDO_NAMES_H
#define SB_ANNOTATION_IFDO_NAMES_H

#include <jansson.h>

#include "base/record.h"

/* By id. A zeroed one is valid and knows none. */
struct sb_ifdo_names {
    json_t *labels, *creators;
};

/* Adds those of a header or an item: image-annotation-labels and image-annotation-creators. */
void sb_ifdo_names_add(struct sb_ifdo_names *names, const json_t *fields);
/* What an entry of an annotation's `labels` says: label, aphia_id, labelled_by, label_status, confidence; who is not
 * listed is called by the id. Fields of the label before are removed. */
void sb_ifdo_names_set(const struct sb_ifdo_names *names, const json_t *label, struct sb_record *fields);
void sb_ifdo_names_free(struct sb_ifdo_names *names);

/* The AphiaID in an LSID of WoRMS or in the address of its page; 0: it is neither. */
int64_t sb_aphia_id(const char *text);

#endif
