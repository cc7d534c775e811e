/* How captions become a decoder's tokens and come back: whole words (words.h), or GPT-2's byte pairs (bpe.h). */
#ifndef SB_TEXT_TOKENIZER_H
#define SB_TEXT_TOKENIZER_H

#include <stdbool.h>

#include "base/dictionary.h"
#include "text/bpe.h"

struct sb_tokenizer {
    struct sb_dictionary words; /* whole words, where there is no bpe */
    struct sb_bpe *bpe;
    int begin, end; /* tokens; with bpe "<|endoftext|>" is both */
};

/* A zeroed tokenizer is empty and valid. These fill one; -1 with a message. */
void sb_tokenizer_start(struct sb_tokenizer *t);                   /* words: add captions with sb_words_add() */
int sb_tokenizer_open(struct sb_tokenizer *t, const char *folder); /* of vocab.json and merges.txt */
void sb_tokenizer_free(struct sb_tokenizer *t);

/* What travels with a model: the tokens as a JSON list, and for byte pairs the lines of merges.txt (else NULL). */
char *sb_tokenizer_json(const struct sb_tokenizer *t); /* the caller frees */
const char *sb_tokenizer_merges(const struct sb_tokenizer *t);
int sb_tokenizer_parse(struct sb_tokenizer *t, const char *json, const char *merges);
bool sb_tokenizer_is(const struct sb_tokenizer *t, const char *json, const char *merges); /* either may be NULL */

size_t sb_tokenizer_count(const struct sb_tokenizer *t);
/* begin, tokens, end, and what counts for nothing, into token[length]; a caption that is too long loses its end. */
void sb_tokenizer_encode(const struct sb_tokenizer *t, const char *caption, int32_t *token, int length);
/* The caption that these tokens without begin tell, up to end or a negative one. The caller frees it. */
char *sb_tokenizer_decode(const struct sb_tokenizer *t, const int32_t *token, int length);

#endif
