/* sb-cat: joins streams one after the other, so that ids stay unique and nothing of their histories is lost. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/dictionary.h"
#include "base/hash.h"
#include "formats/names.h"
#include "preprocess/preprocess.h"
#include "select/seen.h"
#include "select/vectors.h"
#include "stream/reader.h"
#include "stream/several.h"

static const char *output, *drop;
static bool prefix;

static const struct sb_opt options[] = {
    SB_OPT_OUTPUT(&output),
    {0, "prefix", NULL, SB_FLAG, &prefix, 0,
     "tell the inputs apart: the file's name without its ending goes before source and group, and into ids", 0, 0},
    SB_OPT_DROP(&drop),
    SB_OPT_QUIET,
    SB_OPT_END,
};

static const struct sb_tool tool = {
    "sb-cat", "FILE...", "Joins streams one after the other.", options, true,
};

struct cat {
    struct sb_several in;
    struct sb_writer *out;
    struct sb_seen seen;
    struct sb_counts counts;
    char **stem; /* [in.count], with --prefix */
    size_t now;  /* which input is read */
    struct sb_reader *reader;
    bool embedded;  /* it has shown an embedding; the model of the first one's, where it is known, and its input: */
    char model[33];
    size_t model_of;
};

/* ---- names of inputs ---- */

static void check_operands(const struct sb_args *args)
{
    int standard = 0;
    for (int i = 0; i < args->count; i++) standard += !strcmp(args->operand[i], "-");
    if (standard > 1) sb_usage("standard input can be read once");
}

static void name_inputs(struct cat *c)
{
    struct sb_dictionary taken = {0};
    c->stem = sb_calloc(c->in.count + 1, sizeof *c->stem);
    for (size_t i = 0; i < c->in.count; i++) {
        const char *path = c->in.path[i], *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
        c->stem[i] = strcmp(path, "-") ? sb_name_stem(name, strlen(name)) : sb_strdup("stdin");
        if (sb_dictionary_find(&taken, c->stem[i], strlen(c->stem[i])) >= 0)
            sb_usage("--prefix: two inputs are called '%s'", c->stem[i]);
        sb_dictionary_add(&taken, c->stem[i], strlen(c->stem[i]));
    }
    sb_dictionary_free(&taken);
}

/* ---- headers ---- */

#define LEFT_OUT " (--drop tensor leaves them out)"

/* Tensors that were made in two ways are nothing that a model could take. */
static void check_tensors(struct sb_several *in, size_t a, size_t b)
{
    struct sb_preprocess p[2];
    bool applied[2] = {false, false};
    size_t which[2] = {a, b};
    int found[2];
    for (int i = 0; i < 2; i++)
        if ((found[i] = sb_preprocess_from_header(&p[i], &applied[i], &in->header[which[i]])) < 0)
            sb_die("%s: %s", in->name[which[i]], sb_error_message());
    if (!found[0] && !found[1]) return;
    if (!found[0] || !found[1]) {
        int with = found[0] ? 0 : 1;
        sb_die("%s says how its tensors were made, %s does not" LEFT_OUT, in->name[which[with]], in->name[which[!with]]);
    }
    char *wants = sb_format("%s has", in->name[b]);
    const char *differs = sb_preprocess_differs(&p[0], &p[1], wants);
    if (differs) sb_die("tensors were made in different ways: %s has %s" LEFT_OUT, in->name[a], differs);
    if (applied[0] != applied[1])
        sb_die("tensors were made in different ways: mean and std are applied in %s, not in %s" LEFT_OUT,
               in->name[applied[0] ? a : b], in->name[applied[0] ? b : a]);
    free(wants);
}

static void tell_difference(void *arg, const char *key, size_t a, size_t b)
{
    struct cat *c = arg;
    if (strcmp(key, "tensor"))
        sb_warn("the header's '%s' is left out: it is not the same in %s and %s", key, c->in.name[a], c->in.name[b]);
}

static void write_header(struct cat *c, const struct sb_args *args)
{
    struct sb_record common = {0};
    const struct sb_record **header = sb_calloc(c->in.count + 1, sizeof *header);
    for (size_t i = 0; i < c->in.count; i++) header[i] = &c->in.header[i];
    sb_several_common(&c->in, &common, tell_difference, c);
    bool dropped = sb_writer_drops(c->out, "tensor");
    for (size_t i = 1; i < c->in.count && !dropped; i++) check_tensors(&c->in, 0, i);
    const struct sb_field *tensor = sb_record_find(header[0], "tensor");
    if (tensor && !dropped) sb_set_packed(&common, "tensor", tensor->value, tensor->size);
    sb_writer_header_joined(c->out, &common, header, c->in.count, &tool, args);
    sb_record_free(&common);
    free(header);
}

/* ---- records ---- */

static _Noreturn void die_of(const struct cat *c, const char *why)
{
    sb_die("%s: record %" PRIu64 ": %s", sb_reader_name(c->reader), sb_reader_count(c->reader), why);
}

static int text_of(const struct cat *c, const struct sb_record *rec, const char *key, const char **text, size_t *size)
{
    int found = sb_get_text(rec, key, text, size);
    if (found < 0) die_of(c, sb_error_message());
    return found;
}

/* Embeddings of two models can't be compared, but they are only refused where there are some: other things may be joined. */
static void check_embedding(struct cat *c, const struct sb_record *rec)
{
    char model[33];
    if (c->embedded || !sb_record_find(rec, "embedding") || sb_writer_drops(c->out, "embedding")) return;
    c->embedded = true;
    if (!sb_vectors_model(&c->in.header[c->now], model)) return;
    if (*c->model && strcmp(model, c->model))
        sb_die("embeddings are of different models: %s's of %.8s..., %s's of %.8s... (--drop embedding leaves them out)",
               c->in.name[c->model_of], c->model, c->in.name[c->now], model);
    if (!*c->model) c->model_of = c->now;
    memcpy(c->model, model, sizeof model);
}

/* True if the record is to be written. */
static bool is_new(struct cat *c, const struct sb_record *rec)
{
    const char *id;
    size_t id_size, size, input;
    const uint8_t *bytes = sb_reader_bytes(c->reader, &size);
    if (!text_of(c, rec, "id", &id, &id_size)) return true;
    switch (sb_seen_add(&c->seen, id, id_size, bytes, size, &input)) {
    case SB_SEEN_NEW: return true;
    case SB_SEEN_AGAIN: sb_counts_skip(&c->counts, "the same again"); return false;
    default:
        sb_die("%s: record %" PRIu64 ": another record of %s has its id %.*s%s", sb_reader_name(c->reader),
               sb_reader_count(c->reader), c->in.name[input], (int)(id_size < 40 ? id_size : 40), id,
               prefix || input == c->now ? "" : " (--prefix tells inputs apart)");
    }
}

/* The input's name before source and group; ids of records are hashed with it, wherever they stand. */
static void tell_apart(const struct cat *c, struct sb_record *rec)
{
    static const char *const names[] = {"source", "group"}, *const ids[] = {"id", "parent", "duplicate_of"};
    const char *text, *stem = c->stem[c->now];
    size_t size;
    char hex[SB_HEX];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!text_of(c, rec, names[i], &text, &size)) continue;
        char *whole = sb_format("%s/%.*s", stem, (int)size, text);
        sb_set_cstr(rec, names[i], whole);
        free(whole);
    }
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        if (!text_of(c, rec, ids[i], &text, &size)) continue;
        char *whole = sb_format("%s/%.*s", stem, (int)size, text);
        sb_hash_hex(sb_hash_bytes(whole, strlen(whole)), hex);
        sb_set_cstr(rec, ids[i], hex);
        free(whole);
    }
}

static void flush_output(void *arg) { sb_writer_flush(arg); }

static void copy_records(struct cat *c, struct sb_record *rec)
{
    int rc;
    c->reader = sb_several_take(&c->in, c->now);
    if (!c->reader) sb_die_error();
    sb_reader_idle(c->reader, flush_output, c->out);
    sb_seen_input(&c->seen);
    c->embedded = false;
    while ((rc = sb_reader_next(c->reader, rec)) > 0) {
        c->counts.in++;
        check_embedding(c, rec);
        if (prefix) tell_apart(c, rec);
        if (!is_new(c, rec)) continue;
        sb_writer_put(c->out, rec);
        c->counts.out++;
    }
    if (rc < 0) sb_die_error();
    sb_several_done(&c->in, c->now);
}

int main(int argc, char **argv)
{
    static char *standard[] = {"-", NULL};
    struct sb_args args;
    struct sb_record rec = {0};
    static struct cat c;
    sb_opt_parse(&tool, argc, argv, &args);
    check_operands(&args);
    bool named = args.count > 0;
    if (sb_several_open(&c.in, named ? args.operand : standard, named ? (size_t)args.count : 1)) sb_die_error();
    if (prefix) name_inputs(&c);
    c.out = sb_writer_open(output);
    sb_writer_drop(c.out, drop);
    write_header(&c, &args);
    for (c.now = 0; c.now < c.in.count; c.now++) copy_records(&c, &rec);
    sb_writer_close(c.out);
    sb_counts_print(&c.counts);
    sb_record_free(&rec);
    sb_seen_free(&c.seen);
    for (size_t i = 0; prefix && i < c.in.count; i++) free(c.stem[i]);
    free(c.stem);
    sb_several_free(&c.in);
    return 0;
}
