#include "select/centroids.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const metrics[] = {"euclidean", "cosine"}, *const kinds[] = {"thumbnail", "embedding"};

/* Which of two words stands under the key; -1: neither. */
static int word_of(const msgpack_object *map, const char *key, const char *const words[2])
{
    for (uint32_t i = 0; i < map->via.map.size; i++) {
        const msgpack_object *k = &map->via.map.ptr[i].key, *v = &map->via.map.ptr[i].val;
        if (k->type != MSGPACK_OBJECT_STR || k->via.str.size != strlen(key) ||
            memcmp(k->via.str.ptr, key, k->via.str.size))
            continue;
        for (int w = 0; w < 2; w++)
            if (v->type == MSGPACK_OBJECT_STR && v->via.str.size == strlen(words[w]) &&
                !memcmp(v->via.str.ptr, words[w], v->via.str.size))
                return w;
    }
    return -1;
}

static int read_header(struct sb_centroids *c, const struct sb_record *from)
{
    struct sb_record header = {0};
    msgpack_object map;
    int metric = -1, kind = -1;
    sb_record_copy(&header, from);
    if (sb_get_object(&header, "centroids", &map) == 1 && map.type == MSGPACK_OBJECT_MAP) {
        metric = word_of(&map, "metric", metrics);
        kind = word_of(&map, "vectors", kinds);
    }
    c->spherical = metric == 1;
    c->embedded = kind == 1;
    if (!sb_vectors_model(&header, c->model)) c->model[0] = 0;
    sb_record_free(&header);
    return metric < 0 || kind < 0 ? sb_error("no centroids that sb-cluster --save wrote") : 0;
}

static int add(struct sb_centroids *c, struct sb_record *rec)
{
    struct sb_tensor t;
    int found = sb_get_tensor(rec, "centroid", &t);
    if (found < 0) return -1;
    if (!found || t.dtype != SB_F32 || t.ndim != 1 || t.shape[0] < 1)
        return sb_error("record %" PRId64 " has no field 'centroid', f32 [D]", c->k + 1);
    if (c->k && t.shape[0] != c->d)
        return sb_error("record %" PRId64 ": a centroid of %" PRId64 " numbers after those of %" PRId64, c->k + 1,
                        t.shape[0], c->d);
    c->d = t.shape[0];
    SB_GROW(c->c, c->cap, (c->k + 1) * c->d);
    memcpy(c->c + c->k * c->d, t.data, sb_tensor_bytes(&t));
    for (int64_t i = 0; i < c->d; i++)
        if (!(fabsf(c->c[c->k * c->d + i]) <= SB_VECTOR_MOST))
            return sb_error("record %" PRId64 ": a number that is not finite, or beyond 1e15", c->k + 1);
    c->k++;
    return 0;
}

int sb_centroids_read(struct sb_centroids *c, const char *path)
{
    struct sb_record rec = {0};
    struct sb_reader *in = sb_reader_open(path);
    *c = (struct sb_centroids){0};
    if (!in) return -1;
    int rc = read_header(c, sb_reader_header(in)), got = 1;
    while (!rc && (got = sb_reader_next(in, &rec)) == 1) rc = add(c, &rec);
    if (!rc && got == 0 && !c->k) rc = sb_error("no centroids in it");
    if (rc) {
        char *why = sb_strdup(sb_error_message());
        sb_error("%s: %s", path, why);
        free(why);
    }
    sb_record_free(&rec);
    sb_reader_close(in);
    return rc || got < 0 ? -1 : 0;
}

int sb_centroids_suit(const struct sb_centroids *c, const struct sb_vectors *v, struct sb_record *header)
{
    char model[33];
    if (c->embedded != v->embedded)
        return sb_error("the centroids are of %ss, the stream has %ss", kinds[c->embedded], sb_vectors_kind(v));
    if (c->d != v->d)
        return sb_error("the centroids have %" PRId64 " numbers, the stream's embeddings %" PRId64, c->d, v->d);
    if (c->embedded && c->model[0] && sb_vectors_model(header, model) && strcmp(model, c->model))
        return sb_error("the centroids are of another model's embeddings (%.8s..., the stream's are of %.8s...)",
                        c->model, model);
    return 0;
}

void sb_centroids_free(struct sb_centroids *c) { free(c->c); }

static void pack_text(msgpack_packer *pk, const char *text) { msgpack_pack_str_with_body(pk, text, strlen(text)); }

static void describe(struct sb_record *header, const struct sb_kmeans *m, const struct sb_vectors *v)
{
    struct sb_buffer map = {0};
    msgpack_packer pk;
    msgpack_packer_init(&pk, &map, sb_buffer_write);
    msgpack_pack_map(&pk, 2);
    pack_text(&pk, "metric");
    pack_text(&pk, metrics[m->spherical]);
    pack_text(&pk, "vectors");
    pack_text(&pk, sb_vectors_kind(v));
    sb_set_packed(header, "centroids", map.data, map.size);
    free(map.data);
}

void sb_centroids_write(struct sb_writer *out, const struct sb_kmeans *m, const struct sb_vectors *v,
                        const struct sb_record *header, const struct sb_tool *tool, const struct sb_args *args)
{
    struct sb_record rec = {0}, described = {0};
    struct sb_tensor t = {.dtype = SB_F32, .ndim = 1, .shape = {m->d}};
    sb_record_copy(&described, header);
    describe(&described, m, v);
    sb_writer_header(out, &described, tool, args);
    for (int64_t j = 0; j < m->k; j++) {
        sb_record_reset(&rec);
        t.data = m->centroid + j * m->d;
        sb_set_int(&rec, "cluster", j);
        sb_set_int(&rec, "size", m->size[j]);
        sb_set_tensor(&rec, "centroid", &t);
        sb_writer_put(out, &rec);
    }
    sb_record_free(&rec);
    sb_record_free(&described);
}
