/* Ultralytics wants train and val, and takes a folder without "path" to be the one that data.yaml lies in. */
#include <stdlib.h>
#include <string.h>

#include "annotation/yolo_data.h"
#include "base/buffer.h"
#include "formats/jsonl.h"

/* The number of a character that YAML has no place for, or takes for a line's end, and the bytes of it; 0: another. */
static unsigned unfit(const unsigned char *s, size_t size, size_t *bytes)
{
    *bytes = 1;
    if (s[0] == 0x7f) return 0x7f;
    *bytes = 2;
    if (size >= 2 && s[0] == 0xc2 && s[1] < 0xa0) return s[1];
    *bytes = 3;
    if (size < 3) return 0;
    if (s[0] == 0xe2 && s[1] == 0x80 && (s[2] == 0xa8 || s[2] == 0xa9)) return 0x2000u + (s[2] & 0x3fu);
    if (s[0] == 0xef && s[1] == 0xbb && s[2] == 0xbf) return 0xfeff;
    return s[0] == 0xef && s[1] == 0xbf && s[2] >= 0xbe ? 0xfff0u + (s[2] & 0xfu) : 0;
}

/* JSON's text is YAML's, but for some characters. */
static void put_text(FILE *out, const char *text)
{
    struct sb_buffer json = {0};
    FILE *f = sb_buffer_stdio(&json);
    sb_json_text(f, text, strlen(text));
    fclose(f);
    for (size_t i = 0, bytes; i < json.size; i += bytes) {
        unsigned code = unfit(json.data + i, json.size - i, &bytes);
        if (code) {
            fprintf(out, "\\u%04x", code);
        } else {
            putc(json.data[i], out);
            bytes = 1;
        }
    }
    free(json.data);
}

void sb_yolo_data_write(FILE *out, const struct sb_dictionary *splits, const struct sb_dictionary *classes,
                        const uint32_t *order)
{
    static const char *const usual[SB_YOLO_SPLITS] = {"train", "val", "test"};
    if (!splits->count) fputs("# no record had a split: sb-split gives them one\ntrain: images\nval: images\n", out);
    for (size_t i = 0; i < SB_YOLO_SPLITS && splits->count; i++) {
        bool there = sb_dictionary_find(splits, usual[i], strlen(usual[i])) >= 0;
        fprintf(out, there ? "%s: images/%s\n" : "%s:\n", usual[i], usual[i]);
    }
    fputs(classes->count ? "names:\n" : "names: {}\n", out);
    for (size_t i = 0; i < classes->count; i++) {
        fprintf(out, "  %zu: ", i);
        put_text(out, classes->text[order[i]]);
        putc('\n', out);
    }
}
