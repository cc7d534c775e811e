#include "annotation/shape.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *name;
    size_t least, most; /* numbers; most 0: as many as there are, in pairs */
} shapes[SB_SHAPES] = {
    [SB_SHAPE_POINT] = {"Point", 2, 2},      [SB_SHAPE_CIRCLE] = {"Circle", 3, 3},
    [SB_SHAPE_POLYGON] = {"Polygon", 6, 0},  [SB_SHAPE_LINE] = {"LineString", 4, 0},
    [SB_SHAPE_ELLIPSE] = {"Ellipse", 8, 8},  [SB_SHAPE_RECTANGLE] = {"Rectangle", 8, 8},
    [SB_SHAPE_WHOLE] = {"WholeFrame", 0, 0},
};

int sb_shape_named(const char *name)
{
    int i = SB_SHAPES - 1;
    while (i >= 0 && strcmp(shapes[i].name, name)) i--;
    return i;
}

static int check(enum sb_shape shape, const double *v, size_t count)
{
    size_t least = shapes[shape].least, most = shapes[shape].most;
    if (count < least || (most && count > most) || (!most && count % 2))
        return sb_error("a %s of %zu numbers", shapes[shape].name, count);
    for (size_t i = 0; i < count; i++)
        if (!isfinite(v[i]) || fabs(v[i]) > 1e9) return sb_error("a coordinate that is no pixel's: %g", v[i]);
    return shape == SB_SHAPE_CIRCLE && !(v[2] > 0) ? sb_error("a circle with the radius %g", v[2]) : 0;
}

static bool has_area(const double box[4]) { return box[2] > 0 && box[3] > 0; }

static int box_around(const double *v, size_t count, double box[4])
{
    double right = v[0], bottom = v[1];
    box[0] = v[0];
    box[1] = v[1];
    for (size_t i = 2; i < count; i += 2) {
        box[0] = fmin(box[0], v[i]);
        box[1] = fmin(box[1], v[i + 1]);
        right = fmax(right, v[i]);
        bottom = fmax(bottom, v[i + 1]);
    }
    box[2] = right - box[0];
    box[3] = bottom - box[1];
    return has_area(box);
}

/* Half its width is sqrt(a.x^2 + b.x^2), where a and b are its half axes. */
static int box_around_ellipse(const double v[8], double box[4])
{
    for (int i = 0; i < 2; i++) {
        double middle = (v[i] + v[i + 2] + v[i + 4] + v[i + 6]) / 4;
        double half = hypot(v[i] - v[i + 2], v[i + 4] - v[i + 6]) / 2;
        box[i] = middle - half;
        box[i + 2] = 2 * half;
    }
    return has_area(box);
}

/* Its corners follow each other along the sides. */
static bool is_upright(const double v[8])
{
    bool first_across = v[1] == v[3] && v[2] == v[4] && v[5] == v[7] && v[6] == v[0];
    bool first_down = v[0] == v[2] && v[3] == v[5] && v[4] == v[6] && v[7] == v[1];
    return first_across || first_down;
}

static void set_points(struct sb_record *fields, enum sb_shape shape, double *v, size_t count)
{
    struct sb_tensor t = {SB_F32, 2, {(int64_t)(count / 2), 2}, NULL};
    sb_set_cstr(fields, "shape", shapes[shape].name);
    sb_set_tensor_space(fields, "points", &t);
    for (size_t i = 0; i < count / 2 * 2; i++) v[i] = ((float *)t.data)[i] = (float)v[i];
}

int sb_shape_set(struct sb_record *fields, enum sb_shape shape, double *v, size_t count, double box[4])
{
    if (shape == SB_SHAPE_WHOLE) return 0;
    if (check(shape, v, count)) return -1;
    if (shape == SB_SHAPE_RECTANGLE && is_upright(v))
        return box_around(v, count, box) ? 1 : sb_error("a rectangle without an area");
    set_points(fields, shape, v, count);
    if (shape == SB_SHAPE_POINT) return 0;
    if (shape == SB_SHAPE_ELLIPSE) return box_around_ellipse(v, box);
    if (shape != SB_SHAPE_CIRCLE) return box_around(v, count, box);
    sb_set_real(fields, "radius", v[2]);
    for (int i = 0; i < 2; i++) box[i] = v[i] - v[2], box[i + 2] = 2 * v[2];
    return 1;
}

static void add(struct sb_shape_numbers *n, const json_t *number)
{
    SB_GROW(n->v, n->cap, n->count + 1);
    n->v[n->count++] = json_number_value(number);
}

bool sb_shape_read(struct sb_shape_numbers *numbers, const json_t *list)
{
    size_t i;
    const json_t *one;
    numbers->count = 0;
    if (!json_is_array(list)) return false;
    json_array_foreach(list, i, one)
    {
        const json_t *x = json_object_get(one, "x"), *y = json_object_get(one, "y");
        if (json_is_number(one)) {
            add(numbers, one);
        } else if (json_is_number(x) && json_is_number(y)) {
            add(numbers, x);
            add(numbers, y);
        } else {
            return false;
        }
    }
    return true;
}
