/* How pictures become a model's input: other people's JSON forms and hostile ones, and the pixels that timm and
 * transformers make. Vectors by golden/transform.py. */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/record.h"
#include "formats/safetensors.h"
#include "media/transform.h"
#include "preprocess/preprocess_options.h"
#include "weights/class_names.h"
#include "folder.h"
#include "golden.h"

/* The hash of what sb_transform() makes of noise. */
static uint64_t hash_of(const struct sb_transform *t, int width, int height, uint64_t seed)
{
    struct sb_picture in = {0}, scratch = {0};
    size_t bytes = 3 * (size_t)t->size * (size_t)t->size;
    uint8_t *out = sb_malloc(bytes);
    fill_noise(&in, width, height, seed);
    assert_int_equal(sb_transform(t, &in, &scratch, out), 0);
    uint64_t hash = fnv(out, bytes);
    sb_picture_free(&in);
    sb_picture_free(&scratch);
    free(out);
    return hash;
}

static void transforms_as_timm(void **state)
{
    (void)state;
    int width, height, cases = 0;
    char mode[16], filter[16];
    uint64_t seed, hash;
    FILE *f = golden_text("transform.txt");
    for (char line[200]; fgets(line, sizeof line, f); cases++) {
        struct sb_transform t = {.pad = {124, 116, 104}}; /* timm's default mean, of ImageNet */
        assert_int_equal(sscanf(line, "%d %d %d %lf %15s %15s %" SCNu64 " %" SCNx64, &width, &height, &t.size, &t.crop,
                                mode, filter, &seed, &hash),
                         8);
        t.fit = !strcmp(mode, "squash") ? SB_FIT_STRETCH : !strcmp(mode, "border") ? SB_FIT_LETTERBOX : SB_FIT_SHORT;
        assert_int_equal(sb_filter_kind_parse(filter, &t.filter), 0);
        if (hash_of(&t, width, height, seed) != hash) fail_msg("%s", line);
    }
    assert_int_equal(cases, 160);
    fclose(f);
}

/* ---- files beside a model --------------------------------------------------------------------------------------- */

static char *model_path(void) { return sb_format("%s/model.safetensors", folder); }

static void write_beside(const char *name, const char *text)
{
    char *path = sb_format("%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    fclose(f);
    free(path);
}

static void remove_beside(const char *name)
{
    char *path = sb_format("%s/%s", folder, name);
    remove(path);
    free(path);
}

static const char *file_name(const char *sample)
{
    return strncmp(sample, "timm", 4) ? "preprocessor_config.json" : "config.json";
}

static void copy_beside(const char *sample)
{
    char name[300], text[4096] = "";
    snprintf(name, sizeof name, "preprocess/%s", sample);
    FILE *f = golden_text(name);
    assert_in_range(fread(text, 1, sizeof text - 1, f), 10, sizeof text - 2);
    fclose(f);
    write_beside(file_name(sample), text);
}

static int find(struct sb_preprocess *p)
{
    struct sb_weights none = {0};
    char *path = model_path();
    int rc = sb_preprocess_find(p, &none, path);
    free(path);
    return rc;
}

/* It is the same after a model's metadata and a stream's header. */
static void assert_travels(const struct sb_preprocess *p)
{
    char *key[] = {"preprocess"}, *value[] = {sb_preprocess_json(p)};
    struct sb_weights w = {.key = key, .value = value, .metadata = 1};
    struct sb_record header = {0};
    struct sb_preprocess stored, sent;
    bool applied;
    assert_int_equal(sb_preprocess_find(&stored, &w, "stored"), 1);
    sb_preprocess_to_header(p, true, &header);
    assert_int_equal(sb_preprocess_from_header(&sent, &applied, &header), 1);
    assert_true(applied);
    const struct sb_preprocess *after[] = {&stored, &sent};
    for (int i = 0; i < 2; i++) {
        assert_null(sb_preprocess_differs(after[i], p, "wants"));
        assert_true(floor(after[i]->size / after[i]->crop) == floor(p->size / p->crop));
    }
    sb_record_free(&header);
    free(value[0]);
}

static void files_mean_what_their_libraries_do(void **state)
{
    (void)state;
    int width, height, cases = 0;
    char sample[64];
    uint64_t seed, hash;
    float mean[3], std[3];
    FILE *f = golden_text("preprocess/expected.txt");
    for (char line[256]; fgets(line, sizeof line, f); cases++) {
        struct sb_preprocess p;
        assert_int_equal(sscanf(line, "%63s %d %d %" SCNu64 " %" SCNx64 " %f,%f,%f %f,%f,%f", sample, &width, &height,
                                &seed, &hash, &mean[0], &mean[1], &mean[2], &std[0], &std[1], &std[2]),
                         11);
        copy_beside(sample);
        if (find(&p) != 1) fail_msg("%s: %s", sample, sb_error_message());
        remove_beside(file_name(sample));
        struct sb_transform t = {
            .size = p.size, .crop = p.crop, .fit = (enum sb_fit)p.fit, .bgr = p.bgr, .down = p.down};
        t.filter = p.bilinear ? SB_BILINEAR : SB_BICUBIC;
        sb_preprocess_pad(&p, t.pad);
        if (hash_of(&t, width, height, seed) != hash) fail_msg("%s", line);
        if (memcmp(p.mean, mean, sizeof mean) || memcmp(p.std, std, sizeof std)) fail_msg("%s", line);
        assert_travels(&p);
    }
    assert_int_equal(cases, 96);
    fclose(f);
}

/* DINOv2's pictures of 1080p, cut out where transformers does, are one pixel beside timm's. */
static void the_middle_is_that_of_the_library(void **state)
{
    (void)state;
    struct sb_preprocess timms, theirs;
    sb_preprocess_default(&timms, 224);
    theirs = timms;
    theirs.down = true;
    assert_string_equal(sb_preprocess_differs(&timms, &theirs, "the model wants"), "middle even, the model wants down");
    timms.fit = theirs.fit = SB_PREPROCESS_STRETCH;
    assert_null(sb_preprocess_differs(&timms, &theirs, "the model wants")); /* all of the picture: there is no middle */
}

static void what_the_file_itself_says_goes_first(void **state)
{
    (void)state;
    struct sb_preprocess p;
    char *key[] = {"preprocess"}, *value[] = {"{\"size\":8,\"mean\":[0,0,0],\"std\":[1,1,1]}"};
    struct sb_weights w = {.key = key, .value = value, .metadata = 1};
    char *path = model_path();
    assert_int_equal(find(&p), 0);
    copy_beside("vit.json");
    assert_int_equal(find(&p), 1);
    assert_int_equal(p.size, 48);
    copy_beside("timm-flat.json");
    assert_int_equal(find(&p), 1);
    assert_int_equal(p.size, 40);
    write_beside("config.json", "{\"model_type\": \"vit\", \"image_size\": 224}"); /* says nothing of pictures */
    assert_int_equal(find(&p), 1);
    assert_int_equal(p.size, 48);
    assert_int_equal(sb_preprocess_find(&p, &w, path), 1);
    assert_int_equal(p.size, 8);
    value[0] = "{\"size\":8,\"mean\":[0,0,0]}"; /* then nothing else is asked */
    assert_int_equal(sb_preprocess_find(&p, &w, path), -1);
    assert_string_equal(sb_error_message() + strlen(path), ": preprocessing: no 'std'");
    remove_beside("config.json");
    remove_beside("preprocessor_config.json");
    free(path);
}

#define TIMM(size, more)                                                                                               \
    "{\"architecture\":\"x\",\"pretrained_cfg\":{\"input_size\":" size ",\"mean\":[0,0,0],\"std\":[1,1,1]" more "}}"
#define VIT(more)                                                                                                      \
    "{\"image_processor_type\":\"ViTImageProcessor\",\"image_mean\":[0,0,0],\"image_std\":[1,1,1]" more "}"
#define BIT(more)                                                                                                      \
    "{\"image_processor_type\":\"BitImageProcessor\",\"image_mean\":[0,0,0],\"image_std\":[1,1,1],\"resample\":3" more \
    "}"

struct refused {
    const char *text, *says;
};

static const struct refused timm[] = {
    {"", "line"},
    {"{\"input_size\": [3,", "line"},
    {"\xff\xfe{}", "line"},
    {"[3, 224, 224]", "not a JSON object"},
    {"{\"pretrained_cfg\": 7}", "'input_size' is not a list"},
    {"{\"pretrained_cfg\": []}", "'input_size' is not a list"},
    {TIMM("224", ""), "'input_size' is not a list"},
    {TIMM("[3,224]", ""), "'input_size' is not a list"},
    {TIMM("[1,224,224]", ""), "number of channels"},
    {TIMM("[3,224,256]", ""), "not square"},
    {TIMM("[3,\"224\",\"224\"]", ""), "not square"},
    {TIMM("[3,0,0]", ""), "'size'"},
    {TIMM("[3,-5,-5]", ""), "'size'"},
    {TIMM("[3,1e300,1e300]", ""), "'size'"},
    {TIMM("[3,224.5,224.5]", ""), "'size'"},
    {TIMM("[3,99999999999999999999,9]", ""), "too big"},
    {TIMM("[3,32,32]", ",\"interpolation\":\"lanczos\""), "'interpolation' is neither bicubic nor bilinear"},
    {TIMM("[3,32,32]", ",\"interpolation\":3"), "'interpolation' is neither"},
    {TIMM("[3,32,32]", ",\"crop_pct\":0"), "'crop' is not in"},
    {TIMM("[3,32,32]", ",\"crop_pct\":1e-12"), "'crop' is not in"},
    {TIMM("[3,32,32]", ",\"crop_pct\":\"0.9\""), "'crop' is not in"},
    {TIMM("[3,32,32]", ",\"crop_mode\":\"tiles\""), "'crop_mode' is tiles"},
    {TIMM("[3,32,32]", ",\"crop_mode\":{}"), "'crop_mode' is not a text"},
    {"{\"pretrained_cfg\":{\"input_size\":[3,32,32],\"mean\":[0,0,0]}}", "no 'std'"},
    {"{\"pretrained_cfg\":{\"input_size\":[3,32,32],\"std\":[1,1,1]}}", "no 'mean'"},
    {"{\"pretrained_cfg\":{\"input_size\":[3,32,32],\"std\":[1,1,1],\"mean\":null}}", "no 'mean'"},
    {"{\"pretrained_cfg\":{\"input_size\":[3,32,32],\"std\":[1,0,1],\"mean\":[0,0,0]}}", "'std' is not three"},
    {"{\"pretrained_cfg\":{\"input_size\":[3,32,32],\"std\":[1,1],\"mean\":[0,0,0]}}", "'std' is not three"},
    {"{\"pretrained_cfg\":{\"input_size\":[3,32,32],\"std\":1,\"mean\":[0,0,0]}}", "'std' is not three"},
    {"{\"pretrained_cfg\":{\"input_size\":[3,32,32],\"std\":[1,1,\"1\"],\"mean\":[0,0,0]}}", "'std' is not three"},
    {"{\"pretrained_cfg\":{\"input_size\":[3,32,32],\"std\":[1,1,1e9],\"mean\":[0,0,0]}}", "'std' is not three"},
};

static const struct refused theirs[] = {
    {"{", "line"},
    {"{}", "image processor is 'not named'"},
    {"{\"image_processor_type\":[]}", "image processor is 'not named'"},
    {"{\"image_processor_type\":\"SamImageProcessor\"}", "'SamImageProcessor'"},
    {"{\"image_processor_type\":\"ViTMAE\"}", "'ViTMAE'"},
    {VIT(",\"resample\":2"), "'size' is not a size in pixels"},
    {VIT(",\"resample\":2,\"size\":\"224\""), "'size' is not a size in pixels"},
    {VIT(",\"resample\":2,\"size\":1e9"), "'size' is not a size in pixels"},
    {VIT(",\"resample\":2,\"size\":{}"), "'height' is not a size in pixels"},
    {VIT(",\"resample\":2,\"size\":{\"height\":32}"), "'width' is not a size in pixels"},
    {VIT(",\"resample\":2,\"size\":{\"height\":32,\"width\":48}"), "not square: 48 x 32"},
    {VIT(",\"resample\":2,\"size\":{\"shortest_edge\":32}"), "not square"},
    {VIT(",\"resample\":2,\"size\":{\"shortest_edge\":32,\"longest_edge\":64}"), "longest edge"},
    {VIT(",\"size\":32"), "'resample' is none"},
    {VIT(",\"size\":32,\"resample\":1"), "lanczos"},
    {VIT(",\"size\":32,\"resample\":77"), "'resample' is none"},
    {VIT(",\"size\":32,\"resample\":2,\"do_resize\":false"), "does not resize"},
    {VIT(",\"size\":32,\"resample\":2,\"do_resize\":\"no\""), "'do_resize' is neither"},
    {VIT(",\"size\":32,\"resample\":2,\"do_rescale\":false"), "another factor"},
    {VIT(",\"size\":32,\"resample\":2,\"rescale_factor\":0.0078"), "another factor"},
    {VIT(",\"size\":32,\"resample\":2,\"rescale_factor\":\"\""), "another factor"},
    {"{\"image_processor_type\":\"ViTImageProcessor\",\"size\":32,\"resample\":2}", "'mean' is not three"},
    {BIT(",\"size\":256"), "'crop_size' is not a size in pixels"},
    {BIT(",\"size\":256,\"do_center_crop\":false"), "not square"},
    {BIT(",\"size\":256,\"crop_size\":288"), "288 pixels out of pictures resized to 256"},
    {BIT(",\"size\":16384,\"crop_size\":1"), "1 pixels out of pictures resized to 16384"},
    {BIT(",\"size\":256,\"crop_size\":{\"height\":224,\"width\":200}"), "not square"},
    {BIT(",\"size\":256,\"crop_size\":{\"shortest_edge\":224}"), "'height' is not a size"},
};

static void assert_refused(const char *name, const struct refused *file, size_t count)
{
    struct sb_preprocess p;
    for (size_t i = 0; i < count; i++) {
        write_beside(name, file[i].text);
        if (find(&p) != -1 || !strstr(sb_error_message(), file[i].says))
            fail_msg("%s: said '%s'", file[i].text, sb_error_message());
        assert_non_null(strstr(sb_error_message(), name));
    }
    remove_beside(name);
}

static void bad_files_are_refused(void **state)
{
    (void)state;
    assert_refused("config.json", timm, sizeof timm / sizeof *timm);
    assert_refused("preprocessor_config.json", theirs, sizeof theirs / sizeof *theirs);
}

/* ---- what the file leaves open ---------------------------------------------------------------------------------- */

static void options_complete_and_change(void **state)
{
    (void)state;
    struct sb_weights none = {0};
    struct sb_preprocess p;
    struct sb_preprocess_options o = {.mean = "0.1,0.2,0.3", .std = "1,1,2"};
    char *path = model_path();
    assert_int_equal(sb_preprocess_settle(&p, &none, path, &o), -1);
    assert_non_null(strstr(sb_error_message(), "give --mean, --std and --size"));
    o.size = 64;
    assert_int_equal(sb_preprocess_settle(&p, &none, path, &o), 0);
    assert_int_equal(p.size, 64);
    assert_true(p.crop == 1 && p.mean[2] == 0.3f && p.std[2] == 2 && !p.fit && !p.bilinear);
    copy_beside("dinov2.json");
    o = (struct sb_preprocess_options){.filter = "bilinear"};
    assert_int_equal(sb_preprocess_settle(&p, &none, path, &o), 1);
    assert_true(p.size == 55 && p.bilinear && p.down && p.mean[0] == 0.485f);
    remove_beside("preprocessor_config.json");
    free(path);
}

/* ---- names of classes ------------------------------------------------------------------------------------------- */

static void assert_names(const char *config, int rc, const char *wanted)
{
    struct sb_texts names = {0};
    char text[200] = "", *path = model_path();
    write_beside("config.json", config);
    assert_int_equal(sb_class_names_find(&names, path), rc);
    for (size_t i = 0; i < names.count; i++) {
        size_t n = strlen(text);
        snprintf(text + n, sizeof text - n, "%s%s", i ? "," : "", names.text[i]);
        free((void *)(uintptr_t)names.text[i]);
    }
    free(names.text);
    free(path);
    if (rc >= 0) assert_string_equal(text, wanted);
    if (rc < 0 && !strstr(sb_error_message(), wanted)) fail_msg("%s: said '%s'", config, sb_error_message());
    remove_beside("config.json");
}

static void classes_have_their_names(void **state)
{
    (void)state;
    assert_names("{}", 0, "");
    assert_names("{\"id2label\":{\"1\":\"eel\",\"0\":\"cod\"}}", 1, "cod,eel");
    assert_names("{\"id2label\":{\"0\":\"LABEL_0\",\"1\":\"LABEL_1\"}}", 0, "");
    assert_names("{\"label_names\":[\"cod\",\"eel\"]}", 1, "cod,eel");
    assert_names("{\"label_names\":[\"n01\",\"n02\"],\"label_descriptions\":{\"n02\":\"eel\"}}", 1, "n01,eel");
    assert_names("{\"pretrained_cfg\":{\"label_names\":{\"0\":\"cod\"}}}", 1, "cod");
    assert_names("{\"labels\":[\"ray\"],\"input_size\":[3,8,8]}", 1, "ray");
    assert_names("{\"label_names\":null}", 0, "");
    assert_names("{\"id2label\":{\"0\":\"cod\",\"2\":\"eel\"}}", -1, "2 names of classes, but none for class 1");
    assert_names("{\"id2label\":{\"0\":7}}", -1, "none for class 0");
    assert_names("{\"id2label\":{\"0\":\"\"}}", -1, "none for class 0");
    assert_names("{\"label_names\":\"cod\"}", -1, "neither a list nor an object");
    assert_names("{\"label_names\":[[]]}", -1, "none for class 0");
    assert_names("nothing", -1, "config.json");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transforms_as_timm),
        cmocka_unit_test(files_mean_what_their_libraries_do),
        cmocka_unit_test(the_middle_is_that_of_the_library),
        cmocka_unit_test(what_the_file_itself_says_goes_first),
        cmocka_unit_test(bad_files_are_refused),
        cmocka_unit_test(options_complete_and_change),
        cmocka_unit_test(classes_have_their_names),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
