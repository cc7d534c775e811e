#include "text/bpe.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/err.h"
#include "base/utf8.h"
#include "text/bpe_inner.h"

/* GPT-2's expression, with Unicode's White_Space spelt out: PCRE2's \s takes U+180E for a space. */
#define SPACE "\\p{Z}\\t-\\r\\x{85}"
static const char expression[] =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^" SPACE "\\p{L}\\p{N}]+|[" SPACE "]+(?![^" SPACE "])|[" SPACE "]+";

/* ---- bytes as characters ---- */

enum { CODES = 256 + 68 }; /* characters from U+0100 on stand for the 68 bytes that are not printable */

static bool is_printable(int byte)
{
    return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

/* The character that stands for a byte, in UTF-8. */
static size_t spell(int byte, char text[2])
{
    int code = byte;
    if (!is_printable(byte)) {
        code = 256;
        for (int i = 0; i < byte; i++) code += !is_printable(i);
    }
    if (code < 128) {
        text[0] = (char)code;
        return 1;
    }
    text[0] = (char)(0xC0 | code >> 6);
    text[1] = (char)(0x80 | (code & 63));
    return 2;
}

/* The byte that the character at *text stands for, which is stepped over; -1 if it stands for none. */
static int spelt(const char **text)
{
    const unsigned char *p = (const unsigned char *)*text;
    int code = p[0];
    if (code >= 0x80) {
        if ((code & 0xE0) != 0xC0 || (p[1] & 0xC0) != 0x80) return -1;
        code = (code & 31) << 6 | (p[1] & 63);
        (*text)++;
    }
    (*text)++;
    if (code < 256) return is_printable(code) ? code : -1;
    for (int byte = 0; byte < 256 && code < CODES; byte++)
        if (!is_printable(byte) && code-- == 256) return byte;
    return -1;
}

static int find_bytes(struct sb_bpe *b)
{
    for (int i = 0; i < 256; i++) {
        char text[2];
        size_t n = spell(i, text);
        b->byte[i] = (int32_t)sb_dictionary_find(&b->token, text, n);
        if (b->byte[i] < 0) return sb_error("no token '%.*s', which is byte %d", (int)n, text, i);
    }
    return 0;
}

/* ---- merges ---- */

static size_t slot_of(const struct sb_bpe *b, int32_t left, int32_t right)
{
    uint64_t pair = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
    size_t at = (size_t)(pair * 0x9E3779B97F4A7C15u >> 32) & (b->slots - 1);
    for (; b->slot[at]; at = (at + 1) & (b->slots - 1)) {
        const struct sb_bpe_merge *m = &b->merge[b->slot[at] - 1];
        if (m->left == left && m->right == right) break;
    }
    return at;
}

int64_t sb_bpe_rank(const struct sb_bpe *b, int32_t left, int32_t right)
{
    return (int64_t)b->slot[slot_of(b, left, right)] - 1;
}

/* "left right" of n bytes, whose tokens and their joint one must exist. */
static int add_merge(struct sb_bpe *b, const char *line, size_t n)
{
    const char *space = memchr(line, ' ', n);
    size_t left = space ? (size_t)(space - line) : 0, right = n - left - 1;
    if (!left || !right || memchr(space + 1, ' ', right))
        return sb_error("merge %zu, '%.*s', is not two tokens", b->merge_count + 1, (int)(n < 100 ? n : 100), line);
    char *joint = sb_strndup(line, n);
    memcpy(joint + left, space + 1, right);
    int64_t token[3] = {sb_dictionary_find(&b->token, line, left), sb_dictionary_find(&b->token, space + 1, right),
                        sb_dictionary_find(&b->token, joint, left + right)};
    free(joint);
    if (token[0] < 0 || token[1] < 0 || token[2] < 0)
        return sb_error("merge %zu, '%.*s', has a token that is not in the vocabulary", b->merge_count + 1,
                        (int)(n < 100 ? n : 100), line);
    SB_GROW(b->merge, b->merge_cap, b->merge_count + 1);
    b->merge[b->merge_count++] = (struct sb_bpe_merge){(int32_t)token[0], (int32_t)token[1], (int32_t)token[2]};
    return 0;
}

static int find_merges(struct sb_bpe *b)
{
    for (const char *line = b->merges; *line;) {
        size_t n = strcspn(line, "\n");
        if (add_merge(b, line, n)) return -1;
        line += n + (line[n] != 0);
    }
    for (b->slots = 64; b->slots < 2 * b->merge_count; b->slots *= 2) continue;
    b->slot = sb_calloc(b->slots, sizeof *b->slot);
    for (size_t i = 0; i < b->merge_count; i++) {
        size_t at = slot_of(b, b->merge[i].left, b->merge[i].right);
        if (b->slot[at]) return sb_error("merge %zu is merge %zu once more", i + 1, (size_t)b->slot[at]);
        b->slot[at] = (uint32_t)i + 1;
    }
    return 0;
}

static int compile(struct sb_bpe *b)
{
    int error;
    PCRE2_SIZE where;
    b->pattern =
        pcre2_compile((PCRE2_SPTR)expression, PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_UCP, &error, &where, NULL);
    return b->pattern ? 0 : sb_error("this PCRE2 does not know the tokenizer's expression (error %d)", error);
}

struct sb_bpe *sb_bpe_new(struct sb_dictionary *token, const char *merges)
{
    struct sb_bpe *b = sb_calloc(1, sizeof *b);
    b->token = *token;
    memset(token, 0, sizeof *token);
    b->merges = sb_strdup(merges);
    if (!find_bytes(b) && !find_merges(b) && !compile(b)) return b;
    sb_bpe_free(b);
    return NULL;
}

void sb_bpe_free(struct sb_bpe *b)
{
    if (!b) return;
    sb_dictionary_free(&b->token);
    free(b->merges);
    free(b->merge);
    free(b->slot);
    pcre2_code_free(b->pattern);
    free(b);
}

const struct sb_dictionary *sb_bpe_tokens(const struct sb_bpe *b) { return &b->token; }

const char *sb_bpe_merges(const struct sb_bpe *b) { return b->merges; }

/* ---- back to text ---- */

/* A token's bytes; one that is not spelt in bytes, as a special one may be, is the text that it is. */
static void add_token(struct sb_buffer *out, const char *text)
{
    size_t before = out->size;
    for (const char *p = text; *p;) {
        int byte = spelt(&p);
        if (byte < 0) {
            out->size = before;
            sb_buffer_add(out, text, strlen(text));
            return;
        }
        sb_buffer_add(out, &(uint8_t){(uint8_t)byte}, 1);
    }
}

char *sb_bpe_decode(const struct sb_bpe *b, const int32_t *token, size_t count, size_t *size)
{
    struct sb_buffer bytes = {0}, text = {0};
    for (size_t i = 0; i < count; i++)
        if (token[i] >= 0 && (size_t)token[i] < b->token.count) add_token(&bytes, b->token.text[token[i]]);
    for (size_t at = 0; at < bytes.size;) {
        const char *p = (const char *)bytes.data + at;
        size_t n = sb_utf8_length(p, bytes.size - at);
        sb_buffer_add(&text, n ? p : SB_UTF8_REPLACEMENT, n ? n : strlen(SB_UTF8_REPLACEMENT));
        at += n ? n : sb_utf8_broken(p, bytes.size - at);
    }
    if (size) *size = text.size;
    sb_buffer_add(&text, "", 1);
    free(bytes.data);
    return (char *)text.data;
}
