/* libFuzzer target: any bytes as somebody's annotations. The first byte chooses the format (@ is COCO, A FathomNet, B
 * VOC ...), the rest is the file; of YOLO's it is data.yaml up to the first NUL, and then the label file of a picture.
 * Whatever is read becomes records, which must be whole. Run: make fuzz && build/fuzz_annotations -max_len=4096
 * tests/corpus/annotations */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "annotation/format.h"
#include "annotation/problems.h"
#include "annotation/records.h"
#include "media/picture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In this order for good: the corpus counts on it. */
static const char *const formats[] = {"coco",  "fathomnet", "voc",  "yolo", "manifest",
                                      "viame", "biigle",    "vars", "ifdo"};
enum { FORMATS = sizeof formats / sizeof *formats };

static char folder[] = "/tmp/fuzz_annotations.XXXXXX";

static void write_file(const char *name, const void *bytes, size_t size)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    if (!f || (size && fwrite(bytes, 1, size, f) != size) || fclose(f)) abort();
}

static void clean(void)
{
    static const char *const names[] = {"a.png", "a.txt", "file", "data.yaml", "manifest.csv"};
    char path[200];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

static void begin(void)
{
    uint8_t pixels[3 * 8 * 6] = {0};
    struct sb_picture p = {0};
    struct sb_buffer png = {0};
    sb_quiet = true;
    if (!mkdtemp(folder) || sb_picture_view(&p, pixels, 8, 6) || sb_png_encode(&p, &png)) abort();
    write_file("a.png", png.data, png.size);
    free(png.data);
    atexit(clean);
}

/* Records' ids differ, and all values can be read. */
static void check(struct sb_annotated_list *list, bool whole)
{
    struct sb_annotation_style style = {.no_images = true, .whole = whole};
    struct sb_annotation_work work = {0};
    struct sb_record again = {0};
    for (size_t i = 0; i < list->count; i++) {
        if (sb_annotation_records(list, i, &style, &work)) continue;
        for (size_t k = 0; k < work.count; k++) {
            struct sb_record *r = &work.record[k];
            for (size_t f = 0; f < r->count; f++) {
                msgpack_object o;
                char key[300];
                snprintf(key, sizeof key, "%.*s", (int)r->field[f].key_size, r->field[f].key);
                if (sb_get_object(r, key, &o) < 0) abort();
            }
            sb_record_copy(&again, r);
        }
    }
    sb_record_free(&again);
    sb_annotation_work_free(&work);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool begun;
    if (!begun) begin();
    begun = true;
    if (size < 1) return 0;
    const char *name = formats[(data[0] & 15) % FORMATS], *file = "file";
    const struct sb_annotation_format *format = sb_annotation_format_named(name);
    struct sb_counts counts = {0};
    struct sb_problems problems = {0};
    struct sb_annotated_list list = {.counts = &counts, .problems = &problems};
    struct sb_annotation_options o = {.fps = data[0] & 128 ? 10 : 0, .zone = {.given = data[0] & 64}};
    char path[200];
    data++, size--;
    if (!strcmp(name, "yolo")) {
        size_t yaml = strnlen((const char *)data, size), rest = yaml < size ? yaml + 1 : size;
        write_file("data.yaml", data, yaml);
        write_file("a.txt", data + rest, size - rest);
        file = "";
    } else if (!strcmp(name, "manifest")) {
        write_file(file = "manifest.csv", data, size);
    } else {
        write_file(file, data, size);
    }
    snprintf(path, sizeof path, "%s/%s", folder, file);
    if (format->read(path, &o, &list) == 0) {
        check(&list, false);
        check(&list, true);
    }
    sb_annotated_free(&list);
    return 0;
}
