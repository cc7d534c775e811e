/* GPT-2's tokenizer: text is cut into words, numbers, marks and spaces (Radford et al. 2019); the bytes of each piece
 * are merged in pairs, those first that were learnt first (Sennrich et al. 2016). Any bytes can be encoded, and come
 * back. A vocabulary is a pair of files, vocab.json (token to number) and merges.txt (a pair a line, by rank), which
 * spell each byte as a printable character; it must hold all 256 of them. */
#ifndef SB_TEXT_BPE_H
#define SB_TEXT_BPE_H

#include "base/dictionary.h"

struct sb_bpe;

/* The two files of this folder. NULL with a message that names the file. */
struct sb_bpe *sb_bpe_open(const char *folder);
/* Tokens, numbered as they stand there (taken over, also on failure), and the lines of merges.txt without its
 * "#version". NULL with a message. */
struct sb_bpe *sb_bpe_new(struct sb_dictionary *token, const char *merges);
void sb_bpe_free(struct sb_bpe *b);

const struct sb_dictionary *sb_bpe_tokens(const struct sb_bpe *b);
const char *sb_bpe_merges(const struct sb_bpe *b); /* as sb_bpe_new() takes them */

/* The numbers of a text's tokens; time grows as n log n, however long a word is. No text spells a special token. The
 * caller frees. */
int32_t *sb_bpe_encode(const struct sb_bpe *b, const char *text, size_t size, size_t *count);
/* UTF-8, NUL-terminated (and *size bytes long, if size is wanted): U+FFFD where the bytes are no character; numbers
 * that no token has are left out. The caller frees. */
char *sb_bpe_decode(const struct sb_bpe *b, const int32_t *token, size_t count, size_t *size);

#endif
