/* What records of all shapes say of their pictures. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "annotation/view.h"
#include "base/buffer.h"
#include "base/err.h"
#include "media/image.h"

static struct sb_record rec;
static struct sb_view view;

static int begin(void **state)
{
    (void)state;
    sb_record_reset(&rec);
    view.least = 0;
    return 0;
}

static void set_floats(const char *key, const float *data, int64_t rows, int64_t width)
{
    struct sb_tensor t = {SB_F32, width ? 2 : 1, {rows, width}, (void *)data};
    sb_set_tensor(&rec, key, &t);
}

/* Pairs ended by NULL: "a", 0.5, "b", 0.25, NULL. */
static void set_predicted(int pairs, ...)
{
    struct sb_buffer b = {0};
    msgpack_packer pk;
    va_list ap;
    va_start(ap, pairs);
    msgpack_packer_init(&pk, &b, sb_buffer_write);
    msgpack_pack_array(&pk, (size_t)pairs);
    for (int i = 0; i < pairs; i++) {
        const char *label = va_arg(ap, const char *);
        msgpack_pack_array(&pk, 2);
        msgpack_pack_str(&pk, strlen(label));
        msgpack_pack_str_body(&pk, label, strlen(label));
        msgpack_pack_float(&pk, (float)va_arg(ap, double));
    }
    va_end(ap);
    sb_set_packed(&rec, "predicted", b.data, b.size);
    free(b.data);
}

static void set_labels(int count, ...)
{
    struct sb_buffer b = {0};
    msgpack_packer pk;
    va_list ap;
    va_start(ap, count);
    msgpack_packer_init(&pk, &b, sb_buffer_write);
    msgpack_pack_array(&pk, (size_t)count);
    for (int i = 0; i < count; i++) {
        const char *label = va_arg(ap, const char *);
        msgpack_pack_str(&pk, strlen(label));
        msgpack_pack_str_body(&pk, label, strlen(label));
    }
    va_end(ap);
    sb_set_packed(&rec, "labels", b.data, b.size);
    free(b.data);
}

static void set_image(int width, int height)
{
    static const uint8_t pixels[64 * 64 * 3];
    struct sb_tensor t = {SB_U8, 3, {height, width, 3}, (void *)pixels};
    sb_set_tensor(&rec, "image", &t);
}

static void named(size_t item, const char *name, enum sb_named_by by)
{
    assert_true(item < view.count);
    const struct sb_viewed *v = &view.item[item];
    assert_int_equal(v->name.size, strlen(name));
    assert_memory_equal(v->name.text, name, v->name.size);
    assert_int_equal(v->named_by, by);
}

static void box_of_a_person(void **state)
{
    (void)state;
    sb_set_cstr(&rec, "id", "i");
    sb_set_cstr(&rec, "parent", "p");
    sb_set_cstr(&rec, "source", "a.png");
    sb_set_cstr(&rec, "label", "Beroe");
    sb_set_int(&rec, "aphia_id", 1337);
    sb_set_cstr(&rec, "labelled_by", "Ann");
    set_predicted(2, "Aequorea", 0.75, "Beroe", 0.25);
    set_floats("box", (float[]){1, 2, 3, 4}, 4, 0);
    set_image(3, 4);
    assert_int_equal(sb_view_read(&view, &rec), 0);
    assert_int_equal(view.count, 1);
    named(0, "Beroe", SB_NAMED_BY_SOMEBODY);
    assert_true(view.item[0].boxed && view.item[0].box[3] == 4);
    assert_int_equal(view.item[0].aphia_id, 1337);
    assert_int_equal(view.item[0].predictions, 2);
    assert_true(isnan(view.item[0].probability));
    assert_memory_equal(view.item[0].by.text, "Ann", 3);
    assert_memory_equal(view.picture.text, "p", 1);
    assert_true(isnan(view.pts) && isnan(view.depth));
    assert_false(view.whole); /* a crop, of whose picture nothing is known */
    assert_int_equal(view.width, 0);
    sb_set_cstr(&rec, "label_status", "machine");
    assert_int_equal(sb_view_read(&view, &rec), 0);
    named(0, "Beroe", SB_NAMED_BY_MACHINE);
    assert_true(view.item[0].probability == 0.25);
    sb_set_cstr(&rec, "label_status", "verified");
    assert_int_equal(sb_view_read(&view, &rec), 0);
    named(0, "Beroe", SB_NAMED_BY_REVIEW);
}

static void machine(void **state)
{
    (void)state;
    set_predicted(2, "Aequorea", 0.75, "Beroe", 0.25);
    set_image(10, 6);
    assert_int_equal(sb_view_read(&view, &rec), 0);
    named(0, "Aequorea", SB_NAMED_BY_MACHINE);
    assert_false(view.item[0].boxed);
    assert_true(view.item[0].probability == 0.75);
    assert_true(view.whole && view.width == 10 && view.height == 6);
    view.least = 0.8;
    assert_int_equal(sb_view_read(&view, &rec), 0);
    assert_int_equal(view.count, 0);
    assert_int_equal(view.unlikely, 1);
    sb_set_cstr(&rec, "label", "a person is always sure");
    assert_int_equal(sb_view_read(&view, &rec), 0);
    assert_int_equal(view.count, 1);
}

static void many_boxes(void **state)
{
    (void)state;
    set_floats("boxes", (float[]){1, 1, 2, 2, 3, 3, 4, 4}, 2, 4);
    set_floats("scores", (float[]){0.5f, 0.25f}, 2, 0);
    set_labels(3, "Beroe", "", "seafloor");
    set_predicted(1, "dark", 0.9);
    assert_int_equal(sb_view_read(&view, &rec), 0);
    assert_int_equal(view.count, 3); /* labels of the whole picture win over what is predicted of it */
    named(0, "Beroe", SB_NAMED_BY_SOMEBODY);
    named(1, "", SB_NAMED_BY_NOBODY);
    named(2, "seafloor", SB_NAMED_BY_SOMEBODY);
    assert_true(view.item[1].boxed && view.item[1].box[0] == 3 && view.item[1].confidence == 0.25);
    assert_false(view.item[2].boxed);
    set_labels(2, "Beroe", "");
    assert_int_equal(sb_view_read(&view, &rec), 0);
    assert_int_equal(view.count, 3);
    named(2, "dark", SB_NAMED_BY_MACHINE);
    sb_set_cstr(&rec, "label", "Beroe"); /* one of those in the boxes */
    assert_int_equal(sb_view_read(&view, &rec), 0);
    assert_int_equal(view.count, 2);
    sb_set_cstr(&rec, "label_status", "machine");
    view.least = 0.3;
    assert_int_equal(sb_view_read(&view, &rec), 0);
    named(0, "Beroe", SB_NAMED_BY_MACHINE);
    assert_true(view.item[0].probability == 0.5);
    set_floats("scores", (float[]){0.5f}, 1, 0);
    assert_int_equal(sb_view_read(&view, &rec), -1);
}

static void labels_of_a_picture(void **state)
{
    (void)state;
    assert_int_equal(sb_view_read(&view, &rec), 0);
    assert_int_equal(view.count, 0);
    set_labels(2, "Beroe", "Aequorea");
    sb_set_cstr(&rec, "label", "Beroe");
    assert_int_equal(sb_view_read(&view, &rec), 0);
    assert_int_equal(view.count, 2);
    sb_set_cstr(&rec, "label", "Solmissus");
    assert_int_equal(sb_view_read(&view, &rec), 0);
    assert_int_equal(view.count, 3);
}

static void shapes(void **state)
{
    (void)state;
    set_floats("points", (float[]){5, 6}, 1, 2);
    assert_int_equal(sb_view_read(&view, &rec), 0);
    assert_int_equal(view.count, 1);
    assert_memory_equal(view.item[0].shape.text, "Point", 5);
    assert_true(view.item[0].points[1] == 6);
    double points[] = {1, 2, 3, 4, 5, 6};
    sb_set_tensor(&rec, "points", &(struct sb_tensor){SB_F64, 2, {3, 2}, points});
    assert_int_equal(sb_view_read(&view, &rec), 0);
    assert_memory_equal(view.item[0].shape.text, "Polygon", 7);
    assert_true(view.item[0].points[5] == 6);
    set_floats("points", (float[]){1, 2, 3}, 1, 3);
    assert_int_equal(sb_view_read(&view, &rec), -1);
}

/* A crop as large as its parent is all of it: frames that boxes were joined to. */
static void whole_or_part(void **state)
{
    (void)state;
    struct sb_buffer size = {0}, png = {0};
    msgpack_packer pk;
    struct sb_picture p = {0};
    msgpack_packer_init(&pk, &size, sb_buffer_write);
    msgpack_pack_array(&pk, 2);
    msgpack_pack_int(&pk, 8);
    msgpack_pack_int(&pk, 5);
    sb_set_packed(&rec, "parent_size", size.data, size.size);
    set_floats("box", (float[]){1, 2, 3, 3}, 4, 0);
    set_image(3, 3);
    assert_int_equal(sb_view_read(&view, &rec), 0);
    assert_true(view.has_image && !view.whole && view.width == 8 && view.height == 5);
    sb_picture_size(&p, 8, 5);
    memset(p.rgb, 0, 8 * 5 * 3);
    assert_int_equal(sb_image_set(&rec, "image", &p, SB_IMAGE_PNG, &png), 0);
    assert_int_equal(sb_view_read(&view, &rec), 0);
    assert_true(view.whole);
    sb_set_cstr(&rec, "parent_size", "8x5");
    assert_int_equal(sb_view_read(&view, &rec), -1);
    sb_picture_free(&p);
    free(size.data);
    free(png.data);
}

static int end(void **state)
{
    (void)state;
    sb_view_free(&view);
    sb_record_free(&rec);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(box_of_a_person, begin), cmocka_unit_test_setup(machine, begin),
        cmocka_unit_test_setup(many_boxes, begin),      cmocka_unit_test_setup(labels_of_a_picture, begin),
        cmocka_unit_test_setup(shapes, begin),          cmocka_unit_test_setup(whole_or_part, begin),
    };
    return cmocka_run_group_tests(tests, NULL, end);
}
