/* The keys of a preprocessing as they stand in a model's __metadata__ and in a stream's header: one table for both. */
#ifndef SB_PREPROCESS_PREPROCESS_KEYS_H
#define SB_PREPROCESS_PREPROCESS_KEYS_H

#include <jansson.h>
#include <stddef.h>

#include "preprocess/preprocess.h"

/* A byte or bool of the struct, as one of two or three words. */
struct sb_preprocess_choice {
    const char *key;
    size_t at; /* offsetof */
    const char *word[3];
};

enum { SB_PREPROCESS_CHOICES = 4 };
extern const struct sb_preprocess_choice sb_preprocess_choices[SB_PREPROCESS_CHOICES];
const char *sb_preprocess_word(const struct sb_preprocess *p, const struct sb_preprocess_choice *c);

/* A value as both of the forms that it travels in, JSON and msgpack, give it. */
struct sb_preprocess_value {
    const char *text; /* or NULL; not NUL-terminated */
    size_t text_size;
    double number[3];
    int numbers; /* 0, 1, or 3 */
};

struct sb_preprocess_value sb_preprocess_value_json(const json_t *j); /* borrows the text; NULL is no value */

enum { SB_HAS_SIZE = 1, SB_HAS_MEAN = 2, SB_HAS_STD = 4 };

/* Sets one key and notes it in *has. Keys that are not known are somebody else's. -1 with a message. */
int sb_preprocess_set(struct sb_preprocess *p, unsigned *has, const char *key, const struct sb_preprocess_value *v);
int sb_preprocess_check(unsigned has); /* -1 with a message if size, mean or std is missing */

/* The decimal number that a person wrote for this float: 0.485, not 0.48500001430511475. */
double sb_shortest(float f);

#endif
