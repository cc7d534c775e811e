#include <stdlib.h>

#include "base/err.h"
#include "base/utf8.h"
#include "text/bpe_inner.h"

/* A piece is a list of tokens, at first its bytes; a heap holds the pairs that can be merged, the first learnt on top
 * and of equal ones the leftmost. A merge makes two new pairs at most, so a piece of n bytes takes n log n. */

struct link {
    int32_t token;         /* -1: merged into the one before */
    int64_t before, after; /* -1: none */
};

struct encoder {
    const struct sb_bpe *bpe;
    struct link *list;
    size_t list_cap;
    struct pair {
        int64_t rank, at; /* of its left token */
    } *heap;
    size_t pairs, heap_cap;
    int32_t *token; /* the result */
    size_t count, cap;
};

static bool is_sooner(const struct pair *a, const struct pair *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->at < b->at;
}

static void push(struct encoder *e, struct pair p)
{
    SB_GROW(e->heap, e->heap_cap, e->pairs + 1);
    size_t at = e->pairs++;
    for (size_t up; at && is_sooner(&p, &e->heap[up = (at - 1) / 2]); at = up) e->heap[at] = e->heap[up];
    e->heap[at] = p;
}

static struct pair pop(struct encoder *e)
{
    struct pair top = e->heap[0], last = e->heap[--e->pairs];
    size_t at = 0;
    for (size_t down; (down = 2 * at + 1) < e->pairs; at = down) {
        if (down + 1 < e->pairs && is_sooner(&e->heap[down + 1], &e->heap[down])) down++;
        if (!is_sooner(&e->heap[down], &last)) break;
        e->heap[at] = e->heap[down];
    }
    e->heap[at] = last;
    return top;
}

/* The pair that starts at this link, if there is one that can be merged. */
static void consider(struct encoder *e, int64_t at)
{
    if (at < 0 || e->list[at].after < 0) return;
    int64_t rank = sb_bpe_rank(e->bpe, e->list[at].token, e->list[e->list[at].after].token);
    if (rank >= 0) push(e, (struct pair){rank, at});
}

/* A pair in the heap may be gone: one of its tokens was merged with another since. */
static void merge(struct encoder *e, struct pair p)
{
    struct link *left = &e->list[p.at], *right = left->after < 0 ? NULL : &e->list[left->after];
    const struct sb_bpe_merge *m = &e->bpe->merge[p.rank];
    if (left->token != m->left || !right || right->token != m->right) return;
    left->token = m->merged;
    right->token = -1;
    left->after = right->after;
    if (left->after >= 0) e->list[left->after].before = p.at;
    consider(e, left->before);
    consider(e, p.at);
}

static void encode_piece(struct encoder *e, const unsigned char *bytes, size_t size)
{
    SB_GROW(e->list, e->list_cap, size);
    for (size_t i = 0; i < size; i++) {
        int64_t at = (int64_t)i;
        e->list[i] = (struct link){e->bpe->byte[bytes[i]], at - 1, i + 1 < size ? at + 1 : -1};
    }
    for (size_t i = 0; i < size; i++) consider(e, (int64_t)i);
    while (e->pairs) merge(e, pop(e));
    SB_GROW(e->token, e->cap, e->count + size);
    for (int64_t at = 0; at >= 0; at = e->list[at].after) e->token[e->count++] = e->list[at].token;
}

/* Every character begins a match of the expression. */
static void encode_characters(struct encoder *e, pcre2_match_data *match, const char *text, size_t size)
{
    const PCRE2_SIZE *span = pcre2_get_ovector_pointer(match);
    for (size_t at = 0; at < size; at = span[1]) {
        int rc =
            pcre2_match(e->bpe->pattern, (PCRE2_SPTR)text, size, at, PCRE2_ANCHORED | PCRE2_NO_UTF_CHECK, match, NULL);
        if (rc < 1) sb_die("PCRE2 failed with error %d on a text of %zu bytes", rc, size);
        encode_piece(e, (const unsigned char *)text + at, span[1] - at);
    }
}

int32_t *sb_bpe_encode(const struct sb_bpe *b, const char *text, size_t size, size_t *count)
{
    struct encoder e = {.bpe = b};
    pcre2_match_data *match = pcre2_match_data_create_from_pattern(b->pattern, NULL);
    if (!match) sb_die("out of memory: PCRE2 wanted some");
    for (size_t at = 0, end = 0; at < size; at = end) {
        for (size_t n; end < size && (n = sb_utf8_length(text + end, size - end)); end += n) continue;
        encode_characters(&e, match, text + at, end - at);
        if (end < size) encode_piece(&e, (const unsigned char *)text + end++, 1); /* a byte that is no character */
    }
    pcre2_match_data_free(match);
    free(e.list);
    free(e.heap);
    *count = e.count;
    return e.token ? e.token : sb_calloc(1, sizeof *e.token);
}
