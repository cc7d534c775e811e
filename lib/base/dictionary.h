/* Texts numbered in the order in which they were first seen. */
#ifndef SB_BASE_DICTIONARY_H
#define SB_BASE_DICTIONARY_H

#include <stddef.h>
#include <stdint.h>

struct sb_dictionary {
    char **text; /* [count], owned, NUL-terminated */
    size_t count, cap;
    uint32_t *slot; /* open addressing: number + 1, 0 is empty */
    size_t slots;
};

/* A zeroed dictionary is empty and valid. */
uint32_t sb_dictionary_add(struct sb_dictionary *d, const char *text, size_t size); /* the number it has or gets */
int64_t sb_dictionary_find(const struct sb_dictionary *d, const char *text, size_t size); /* -1 if it was never added */
/* The numbers in order of the texts' bytes: [count], the caller frees it. */
uint32_t *sb_dictionary_order(const struct sb_dictionary *d);
void sb_dictionary_free(struct sb_dictionary *d);

#endif
