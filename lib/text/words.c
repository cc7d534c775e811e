#include "text/words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static bool is_mark(unsigned char c) { return c < 128 && ispunct(c) && c != '\'' && c != '-'; }

/* The next word or mark at *at, which is moved behind it; 0 at the end. Bytes of 128 and more are letters (UTF-8). */
static size_t next_word(const char **at, const char **word)
{
    const char *p = *at;
    while (isspace((unsigned char)*p)) p++;
    *word = p;
    if (is_mark((unsigned char)*p))
        p++;
    else
        while (*p && !isspace((unsigned char)*p) && !is_mark((unsigned char)*p)) p++;
    *at = p;
    return (size_t)(p - *word);
}

void sb_words_start(struct sb_dictionary *words)
{
    static const char *const special[] = {"<pad>", "<begin>", "<end>", "<unknown>"};
    for (int i = 0; i < SB_WORD_FIRST; i++) sb_dictionary_add(words, special[i], strlen(special[i]));
}

int sb_words_add(struct sb_dictionary *words, const char *caption)
{
    const char *word;
    int count = 0;
    for (size_t n; (n = next_word(&caption, &word)); count++) sb_dictionary_add(words, word, n);
    return count;
}

void sb_words_encode(const struct sb_dictionary *words, const char *caption, int32_t *token, int length)
{
    const char *word;
    int at = 0;
    token[at++] = SB_WORD_BEGIN;
    for (size_t n; at < length - 1 && (n = next_word(&caption, &word));) {
        int64_t number = sb_dictionary_find(words, word, n);
        token[at++] = number < SB_WORD_FIRST ? SB_WORD_UNKNOWN : (int32_t)number;
    }
    token[at++] = SB_WORD_END;
    while (at < length) token[at++] = SB_WORD_PAD;
}

char *sb_words_decode(const struct sb_dictionary *words, const int32_t *token, int length)
{
    size_t size = 1;
    for (int i = 0; i < length; i++)
        if (token[i] >= 0 && (size_t)token[i] < words->count) size += strlen(words->text[token[i]]) + 1;
    char *text = sb_malloc(size), *end = text;
    for (int i = 0; i < length; i++) {
        if (token[i] == SB_WORD_BEGIN) continue;
        if (token[i] <= SB_WORD_END || (size_t)token[i] >= words->count) break;
        const char *word = words->text[token[i]];
        if (end > text && !strchr(",.;:!?)", *word)) *end++ = ' ';
        end = stpcpy(end, word);
    }
    *end = 0;
    return text;
}
