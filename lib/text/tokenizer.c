#include "text/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "text/texts.h"
#include "text/words.h"

#define END_OF_TEXT "<|endoftext|>"

static const struct sb_dictionary *tokens_of(const struct sb_tokenizer *t)
{
    return t->bpe ? sb_bpe_tokens(t->bpe) : &t->words;
}

void sb_tokenizer_start(struct sb_tokenizer *t)
{
    *t = (struct sb_tokenizer){.begin = SB_WORD_BEGIN, .end = SB_WORD_END};
    sb_words_start(&t->words);
}

static int take_bpe(struct sb_tokenizer *t, struct sb_bpe *bpe)
{
    if (!bpe) return -1;
    t->bpe = bpe;
    t->begin = t->end = (int)sb_dictionary_find(tokens_of(t), END_OF_TEXT, strlen(END_OF_TEXT));
    if (t->end >= 0) return 0;
    sb_tokenizer_free(t);
    return sb_error("no token '" END_OF_TEXT "'");
}

int sb_tokenizer_open(struct sb_tokenizer *t, const char *folder)
{
    memset(t, 0, sizeof *t);
    struct sb_bpe *bpe = sb_bpe_open(folder);
    if (!bpe) return -1;
    return take_bpe(t, bpe) ? sb_error("%s: %s", folder, sb_error_message()) : 0;
}

void sb_tokenizer_free(struct sb_tokenizer *t)
{
    sb_dictionary_free(&t->words);
    sb_bpe_free(t->bpe);
    memset(t, 0, sizeof *t);
}

char *sb_tokenizer_json(const struct sb_tokenizer *t)
{
    const struct sb_dictionary *d = tokens_of(t);
    return sb_texts_json(&(struct sb_texts){.text = (const char **)d->text, .count = d->count});
}

const char *sb_tokenizer_merges(const struct sb_tokenizer *t) { return t->bpe ? sb_bpe_merges(t->bpe) : NULL; }

/* A list in which each stands once. */
static int parse_tokens(const char *json, struct sb_dictionary *d)
{
    struct sb_texts list = {0};
    int rc = sb_texts_parse(json, &list);
    for (size_t i = 0; i < list.count && !rc; i++) {
        if (sb_dictionary_add(d, list.text[i], strlen(list.text[i])) != i)
            rc = sb_error("'%.100s' stands there twice", list.text[i]);
    }
    sb_texts_free(&list);
    if (!rc && d->count < SB_WORD_FIRST) rc = sb_error("only %zu of them", d->count);
    return rc;
}

int sb_tokenizer_parse(struct sb_tokenizer *t, const char *json, const char *merges)
{
    *t = (struct sb_tokenizer){.begin = SB_WORD_BEGIN, .end = SB_WORD_END};
    int rc = parse_tokens(json, &t->words);
    if (!rc && merges) rc = take_bpe(t, sb_bpe_new(&t->words, merges));
    if (rc) sb_tokenizer_free(t);
    return rc;
}

bool sb_tokenizer_is(const struct sb_tokenizer *t, const char *json, const char *merges)
{
    const char *own = sb_tokenizer_merges(t);
    if (!json || !own != !merges || (own && strcmp(own, merges))) return false;
    struct sb_dictionary theirs = {0};
    const struct sb_dictionary *mine = tokens_of(t);
    bool same = !parse_tokens(json, &theirs) && theirs.count == mine->count;
    for (size_t i = 0; same && i < mine->count; i++) same = !strcmp(theirs.text[i], mine->text[i]);
    sb_dictionary_free(&theirs);
    return same;
}

size_t sb_tokenizer_count(const struct sb_tokenizer *t) { return tokens_of(t)->count; }

void sb_tokenizer_encode(const struct sb_tokenizer *t, const char *caption, int32_t *token, int length)
{
    if (!t->bpe) {
        sb_words_encode(&t->words, caption, token, length);
        return;
    }
    size_t count, room = (size_t)length - 2;
    int32_t *all = sb_bpe_encode(t->bpe, caption, strlen(caption), &count);
    if (count > room) count = room;
    token[0] = t->begin;
    memcpy(token + 1, all, count * sizeof *all);
    for (size_t i = count + 1; i < (size_t)length; i++) token[i] = t->end;
    free(all);
}

char *sb_tokenizer_decode(const struct sb_tokenizer *t, const int32_t *token, int length)
{
    int count = 0;
    while (count < length && token[count] >= 0 && token[count] != t->end) count++;
    return t->bpe ? sb_bpe_decode(t->bpe, token, (size_t)count, NULL) : sb_words_decode(&t->words, token, count);
}
