#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/err.h"
#include "text/bpe.h"

#define FILE_MAX ((size_t)64 << 20) /* GPT-2's have 1 MB */

/* The whole file, and a NUL behind it. */
static int read_file(const char *path, struct sb_buffer *out)
{
    FILE *f = fopen(path, "r");
    if (!f) return sb_error("%s: %s", path, strerror(errno));
    uint8_t part[65536];
    for (size_t n; (n = fread(part, 1, sizeof part, f)) && out->size <= FILE_MAX;) sb_buffer_add(out, part, n);
    int rc = ferror(f) ? sb_error("%s: %s", path, strerror(errno)) : 0;
    fclose(f);
    if (!rc && out->size > FILE_MAX) rc = sb_error("%s: no vocabulary has more than %zu bytes", path, FILE_MAX);
    if (!rc && out->size && memchr(out->data, 0, out->size)) rc = sb_error("%s: not a text", path);
    sb_buffer_add(out, "", 1);
    return rc;
}

/* {"token": number, ...}, each number from 0 on once. */
static int number_tokens(json_t *object, const char **text)
{
    size_t count = json_object_size(object);
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        json_int_t at = json_integer_value(value);
        if (!json_is_integer(value) || at < 0 || (size_t)at >= count)
            return sb_error("token '%.100s': not a number from 0 to %zu", key, count - 1);
        if (text[at]) return sb_error("tokens '%.100s' and '%.100s' have one number", text[at], key);
        text[at] = key;
    }
    return 0;
}

static int parse_tokens(const struct sb_buffer *file, struct sb_dictionary *token)
{
    json_error_t error;
    json_t *object = json_loadb((const char *)file->data, file->size - 1, JSON_REJECT_DUPLICATES, &error);
    if (!object) return sb_error("not valid JSON: %s", error.text);
    size_t count = json_object_size(object);
    const char **text = sb_calloc(count + 1, sizeof *text);
    int rc = json_is_object(object) && count ? number_tokens(object, text) : sb_error("not an object of tokens");
    for (size_t i = 0; i < count && !rc; i++) sb_dictionary_add(token, text[i], strlen(text[i]));
    free(text);
    json_decref(object);
    return rc;
}

/* Without the line that says its version, nor carriage returns. */
static const char *merge_lines(struct sb_buffer *file)
{
    char *from = (char *)file->data, *to = from;
    for (const char *p = from; *p; p++)
        if (*p != '\r') *to++ = *p;
    *to = 0;
    return strncmp(from, "#version", 8) ? from : from + strcspn(from, "\n") + (strchr(from, '\n') != NULL);
}

struct sb_bpe *sb_bpe_open(const char *folder)
{
    char *tokens = sb_format("%s/vocab.json", folder), *merges = sb_format("%s/merges.txt", folder);
    struct sb_buffer tokens_file = {0}, merges_file = {0};
    struct sb_dictionary token = {0};
    struct sb_bpe *b = NULL;
    int rc = read_file(tokens, &tokens_file);
    if (!rc && parse_tokens(&tokens_file, &token)) rc = sb_error("%s: %s", tokens, sb_error_message());
    if (!rc) rc = read_file(merges, &merges_file);
    if (!rc) {
        b = sb_bpe_new(&token, merge_lines(&merges_file));
        if (!b) sb_error("%s: %s", folder, sb_error_message());
    }
    sb_dictionary_free(&token);
    free(tokens_file.data);
    free(merges_file.data);
    free(tokens);
    free(merges);
    return b;
}
