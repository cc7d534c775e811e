/* Values of a field that come one at a time: a list, or a map whose keys are texts. */
#ifndef SB_ANNOTATION_GATHERED_H
#define SB_ANNOTATION_GATHERED_H

#include "base/buffer.h"
#include "base/dictionary.h"
#include "base/record.h"

/* A zeroed one is valid after sb_gathered_begin(); reused. */
struct sb_gathered {
    msgpack_packer pk; /* where values are packed */
    struct sb_buffer bytes;
    size_t count;
    struct sb_dictionary keys;
};

void sb_gathered_begin(struct sb_gathered *g);
/* An entry of a list. */
void sb_gathered_text(struct sb_gathered *g, const char *text);
/* Begins an entry of a map: the caller packs its value. false, and nothing is begun, if the key is empty or was there
 * before. */
bool sb_gathered_key(struct sb_gathered *g, const char *key, size_t size);
/* Both: whether it was added. */
bool sb_gathered_pair(struct sb_gathered *g, const char *key, size_t size, const char *text);
/* Sets the field where there is an entry. */
void sb_gathered_set_list(const struct sb_gathered *g, struct sb_record *fields, const char *field);
void sb_gathered_set_map(const struct sb_gathered *g, struct sb_record *fields, const char *field);
void sb_gathered_free(struct sb_gathered *g);

#endif
