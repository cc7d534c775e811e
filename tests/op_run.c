#include "op_cases.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/err.h"

#define OPERANDS 16
/* Operands begin 32 bytes into their memory, as weights of a flat bf16 buffer may, where the case says "misaligned" one
 * element further; they are followed by bytes that must stay. */
#define BEFORE 32
#define BEHIND 96
#define UNTOUCHED 0x5a

struct op_operand {
    const char *name;
    enum op_role role;
    struct sb_tensor t;      /* where the op runs now */
    struct sb_tensor host;   /* as invented */
    size_t before;           /* bytes */
    uint8_t *block;          /* on the device: before, data, BEHIND */
    uint8_t *result[3];      /* blocks brought back: of ref, and of the backend's two runs */
};

enum { OF_REF, OF_FIRST, OF_SECOND };

/* ---- what cases call --------------------------------------------------------------------------------------------- */

const struct sb_tensor *op_new(struct op_run *r, const char *name, enum op_role role, enum sb_dtype dtype, int ndim,
                               const int64_t *shape)
{
    if (r->next == OPERANDS) sb_die("%s has too many operands", r->c->op);
    struct op_operand *o = &r->operand[r->next++];
    if (!r->inventing) return &o->t;
    *o = (struct op_operand){.name = name, .role = role, .t = {.dtype = dtype, .ndim = ndim}};
    o->before = BEFORE + (HAS("misaligned") ? sb_dtype_size(dtype) : 0);
    memcpy(o->t.shape, shape, (size_t)ndim * sizeof *shape);
    o->t.data = sb_aligned(64, sb_tensor_bytes(&o->t));
    o->host = o->t;
    if (dtype == SB_U8) op_fill_integers(r, &o->t, 0, 255);
    else if (dtype != SB_I32) op_fill(r, &o->t, -1, 1);
    r->count = r->next;
    return &o->t;
}

bool op_has(const struct op_run *r, const char *option)
{
    size_t n = strlen(option);
    for (const char *p = r->c->options; (p = strstr(p, option)); p += n) {
        if ((p == r->c->options || p[-1] == ' ') && (!p[n] || p[n] == ' ')) return true;
    }
    return false;
}

const void *op_packed(struct op_run *r, sb_in w, bool backward)
{
    if (r->inventing) return NULL;
    size_t size = r->ops->linear_pack_size(r->dev, w->shape[0], w->shape[1], w->dtype, backward);
    if (!size) return NULL;
    if (!r->packed) r->packed = r->ops->alloc(r->dev, size);
    r->ops->linear_pack(r->dev, w, backward, r->packed);
    return r->packed;
}

static void set(sb_in t, int64_t i, double v)
{
    switch (t->dtype) {
    case SB_F32: ((float *)t->data)[i] = (float)v; break;
    case SB_BF16: ((uint16_t *)t->data)[i] = sb_f32_to_bf16((float)v); break;
    case SB_U8: ((uint8_t *)t->data)[i] = (uint8_t)v; break;
    default: ((int32_t *)t->data)[i] = (int32_t)v; break;
    }
}

static double get(enum sb_dtype dtype, const void *data, int64_t i)
{
    switch (dtype) {
    case SB_F32: return ((const float *)data)[i];
    case SB_BF16: return sb_bf16_to_f32(((const uint16_t *)data)[i]);
    case SB_U8: return ((const uint8_t *)data)[i];
    default: return ((const int32_t *)data)[i];
    }
}

void op_fill(struct op_run *r, sb_in t, double low, double high)
{
    int64_t n = sb_tensor_count(t);
    for (int64_t i = 0; i < n; i++) set(t, i, sb_rng_range(&r->rng, low, high));
}

void op_fill_integers(struct op_run *r, sb_in t, int32_t low, int32_t high)
{
    int64_t n = sb_tensor_count(t);
    for (int64_t i = 0; i < n; i++) set(t, i, low + (double)sb_rng_below(&r->rng, (uint32_t)(high - low + 1)));
}

/* ---- a run on a device ------------------------------------------------------------------------------------------- */

static size_t block_size(const struct op_operand *o)
{
    return o->before + sb_tensor_bytes(&o->host) + BEHIND;
}

/* The operand as it stands before a run. */
static void put(struct op_run *r, struct op_operand *o)
{
    size_t size = block_size(o), bytes = sb_tensor_bytes(&o->host);
    uint8_t *block = sb_malloc(size);
    memset(block, UNTOUCHED, size);
    if (o->role == OUT) memset(block + o->before, 0xff, bytes); /* NaN in f32 and bf16 */
    else memcpy(block + o->before, o->host.data, bytes);
    r->ops->upload(r->dev, o->block, block, size);
    free(block);
}

static void run_once(struct op_run *r, int which, bool again)
{
    for (int i = 0; i < r->count; i++) {
        if (!again || r->operand[i].role != KEPT) put(r, &r->operand[i]);
    }
    r->next = 0;
    r->c->call(r);
    for (int i = 0; i < r->count; i++) {
        struct op_operand *o = &r->operand[i];
        free(o->result[which]);
        o->result[which] = sb_malloc(block_size(o));
        r->ops->download(r->dev, o->result[which], o->block, block_size(o));
    }
}

/* Two runs on a device; `first` is where the first one's results go, `second` the second one's. */
static void run_on(struct op_run *r, const struct sb_ops *ops, struct sb_dev *dev, int first, int second)
{
    r->ops = ops;
    r->dev = dev;
    for (int i = 0; i < r->count; i++) {
        struct op_operand *o = &r->operand[i];
        o->block = ops->alloc(dev, block_size(o));
        if (!o->block) sb_die("not enough memory for %s", r->c->op);
        o->t.data = o->block + o->before;
    }
    run_once(r, first, false);
    run_once(r, second, true);
    for (int i = 0; i < r->count; i++) ops->release(dev, r->operand[i].block);
    if (r->packed) ops->release(dev, r->packed);
    r->packed = NULL;
}

/* ---- judging ----------------------------------------------------------------------------------------------------- */

static bool same_bytes(const uint8_t *block, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (block[i] != UNTOUCHED) return false;
    }
    return true;
}

static bool near_ref(const struct op_operand *o, double tolerance, char *what, size_t size)
{
    int64_t n = sb_tensor_count(&o->host), worst_at = 0;
    const uint8_t *ref = o->result[OF_REF] + o->before, *own = o->result[OF_SECOND] + o->before;
    double square = 0, worst = 0;
    for (int64_t i = 0; i < n; i++) square += pow(get(o->host.dtype, ref, i), 2);
    double rms = sqrt(square / (double)n);
    bool integer = o->host.dtype == SB_I32 || o->host.dtype == SB_U8;
    for (int64_t i = 0; i < n; i++) {
        double a = get(o->host.dtype, own, i), b = get(o->host.dtype, ref, i);
        double error = a == b || (isnan(a) && isnan(b)) ? 0 : integer ? fabs(a - b) : fabs(a - b) / (rms + fabs(b));
        if (isnan(error)) error = INFINITY;
        if (error > worst) {
            worst = error;
            worst_at = i;
        }
    }
    /* An integer is right or wrong, but for a rounding the other way of what lies just between two of them. */
    if (worst <= (integer ? (o->host.dtype == SB_U8 && tolerance > 0) : tolerance)) return true;
    snprintf(what, size, "%s[%lld of %lld] is %.9g, ref has %.9g (off by %.2g, root mean square %.3g)", o->name,
             (long long)worst_at, (long long)n, get(o->host.dtype, own, worst_at), get(o->host.dtype, ref, worst_at),
             worst, rms);
    return false;
}

/* What an operand of another dtype than the case's is allowed: f32 sums of bf16 numbers are much nearer than their
 * rounding; a bf16 copy of an f32 result may be rounded the other way. */
static double tolerance_of(const struct op_operand *o, const struct op_case *c, enum sb_dtype act)
{
    if (act == SB_BF16) return o->host.dtype == SB_F32 ? c->bf16 / 5 : c->bf16;
    return o->host.dtype == SB_BF16 && c->f32 > 0 ? 0x1p-7 : c->f32;
}

static bool judge(const struct op_operand *o, double tolerance, char *what, size_t size)
{
    size_t bytes = sb_tensor_bytes(&o->host), all = block_size(o);
    const uint8_t *first = o->result[OF_FIRST], *second = o->result[OF_SECOND];
    if (!same_bytes(second, 0, o->before) || !same_bytes(second, o->before + bytes, all)) {
        snprintf(what, size, "wrote outside of %s", o->name);
        return false;
    }
    if (o->role == IN && memcmp(second + o->before, o->host.data, bytes)) {
        snprintf(what, size, "changed %s, which is only read", o->name);
        return false;
    }
    if (!near_ref(o, tolerance, what, size)) return false;
    if (o->role != KEPT && memcmp(first, second, all)) {
        snprintf(what, size, "%s differs between two runs with the same arguments", o->name);
        return false;
    }
    return true;
}

void op_case_name(const struct op_case *c, enum sb_dtype act, char *name, size_t size)
{
    int n = snprintf(name, size, "%s %s [", c->op, sb_dtype_name(act));
    for (int i = 0; i < 6 && c->n[i]; i++)
        n += snprintf(name + n, size - (size_t)n, i ? ",%lld" : "%lld", (long long)c->n[i]);
    snprintf(name + n, size - (size_t)n, "]%s%s", *c->options ? " " : "", c->options);
}

/* A line for the case in the file $SB_DIGESTS: two runs of a program that should have computed the same bytes. */
static void add_digest(const struct op_run *r)
{
    const char *path = getenv("SB_DIGESTS");
    FILE *f = path ? fopen(path, "a") : NULL;
    if (!f) return;
    char name[256];
    XXH3_state_t *state = XXH3_createState();
    XXH3_64bits_reset(state);
    for (int i = 0; i < r->count; i++) {
        for (int k = OF_FIRST; k <= OF_SECOND; k++)
            XXH3_64bits_update(state, r->operand[i].result[k], block_size(&r->operand[i]));
    }
    op_case_name(r->c, r->act, name, sizeof name);
    fprintf(f, "%016llx %s\n", (unsigned long long)XXH3_64bits_digest(state), name);
    XXH3_freeState(state);
    fclose(f);
}

bool op_case_run(const struct op_case *c, enum sb_dtype act, const struct sb_ops *ops, struct sb_dev *dev, char *what,
                 size_t size)
{
    struct op_operand operand[OPERANDS];
    struct op_run r = {.c = c, .act = act, .inventing = true, .operand = operand};
    struct sb_dev *null = sb_ops_null.open(0, 0, NULL), *ref = sb_ops_ref.open(0, 0, NULL);
    r.dev = ref; /* the reference computes on host memory: a case may call it to invent what a forward pass leaves */
    sb_rng_init(&r.rng, 2026, (uint64_t)(c - op_cases));
    c->call(&r);
    r.inventing = false;

    run_on(&r, &sb_ops_null, null, OF_REF, OF_REF); /* aborts where a shape is not the contract's */
    run_on(&r, &sb_ops_ref, ref, OF_FIRST, OF_REF);
    run_on(&r, ops, dev, OF_FIRST, OF_SECOND);
    add_digest(&r);

    bool fine = true;
    for (int i = 0; i < r.count; i++) {
        fine = fine && judge(&operand[i], tolerance_of(&operand[i], c, act), what, size);
        free(operand[i].host.data);
        for (int k = 0; k < 3; k++) free(operand[i].result[k]);
    }
    sb_ops_null.close(null);
    sb_ops_ref.close(ref);
    return fine;
}
