/* The captioner's vocabulary: whole words and punctuation marks, as they stand in the captions it was trained on. */
#ifndef SB_TEXT_WORDS_H
#define SB_TEXT_WORDS_H

#include "base/dictionary.h"

enum { SB_WORD_PAD, SB_WORD_BEGIN, SB_WORD_END, SB_WORD_UNKNOWN, SB_WORD_FIRST };

/* The four special words; then add captions. */
void sb_words_start(struct sb_dictionary *words);
/* Adds a caption's words; returns how many it has. */
int sb_words_add(struct sb_dictionary *words, const char *caption);
/* begin, words, end, then pads, into token[length]; a caption that is too long loses its last words. */
void sb_words_encode(const struct sb_dictionary *words, const char *caption, int32_t *token, int length);
/* The sentence: a space before each word, none before a punctuation mark; ends at end or pad. The caller frees it. */
char *sb_words_decode(const struct sb_dictionary *words, const int32_t *token, int length);

#endif
