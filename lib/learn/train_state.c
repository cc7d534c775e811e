#include "learn/train_state.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "formats/safetensors.h"

static const char *const tensor_name[] = {"master", "moment1", "moment2", "average"};

char *sb_train_state_path(const char *model) { return sb_format("%s.state", model); }

/* The run's own step of the history: {"tool", "version", "args", "files"}. */
static json_t *own_step(const struct sb_model *m)
{
    json_t *history = json_loads(m->history, 0, NULL), *step = json_array_get(history, json_array_size(history) - 1);
    json_incref(step);
    json_decref(history);
    return step;
}

static void take_buffers(struct sb_net_state *s, const struct sb_model *m, bool averaged)
{
    size_t total = (size_t)m->total;
    s->master = sb_calloc(total, sizeof(float));
    s->moment1 = sb_calloc(total, sizeof(float));
    s->moment2 = sb_calloc(total, sizeof(float));
    s->average = averaged ? sb_calloc(total, sizeof(float)) : NULL;
}

static void free_buffers(struct sb_net_state *s)
{
    free(s->master);
    free(s->moment1);
    free(s->moment2);
    free(s->average);
}

int sb_train_state_save(const char *path, const struct sb_train_state *s, struct sb_net *net, const struct sb_model *m,
                        bool averaged)
{
    struct sb_net_state n = {0};
    json_t *step = own_step(m);
    char *run = json_dumps(step, JSON_COMPACT | JSON_SORT_KEYS);
    /* %a: a double comes back as it was. */
    char *at = sb_format("%d %d %d %a", s->epochs, s->kept_epoch, s->best_epoch, s->best_score);
    take_buffers(&n, m, averaged);
    int status = sb_net_save_state(net, &n);
    char *steps = sb_format("%llu", (unsigned long long)n.steps);
    float *const data[] = {n.master, n.moment1, n.moment2, n.average};
    struct sb_weight weight[4];
    for (int i = 0; i < 4; i++)
        weight[i] = (struct sb_weight){.name = (char *)(uintptr_t)tensor_name[i],
                                       .tensor = {.dtype = SB_F32, .ndim = 1, .shape = {m->total}, .data = data[i]}};
    const char *key[] = {"at", "data", "run", "steps"}, *value[] = {at, m->data, run, steps};
    if (!status) status = sb_weights_save(path, weight, averaged ? 4 : 3, key, value, 4);
    free_buffers(&n);
    free(steps);
    free(at);
    free(run);
    json_decref(step);
    return status;
}

/* The first text of one list that the other lacks; NULL if there is none. */
static const char *missing(const json_t *from, const json_t *in)
{
    for (size_t i = 0; i < json_array_size(from); i++) {
        bool found = false;
        for (size_t k = 0; k < json_array_size(in) && !found; k++)
            found = json_equal(json_array_get(from, i), json_array_get(in, k));
        if (!found) return json_string_value(json_array_get(from, i));
    }
    return NULL;
}

/* Whether the state's run is this one; -1 with a message that says what differs. */
static int check_run(const struct sb_weights *w, const char *path, const struct sb_model *m)
{
    const char *data = sb_weights_metadata(w, "data"), *run = sb_weights_metadata(w, "run");
    if (!data || !run) return sb_error("%s: not the state of a training run", path);
    if (strcmp(data, m->data)) return sb_error("%s: of another run: it was trained on another stream", path);
    json_t *theirs = json_loads(run, 0, NULL), *mine = own_step(m);
    const json_t *their_args = json_object_get(theirs, "args"), *my_args = json_object_get(mine, "args");
    const char *gone = missing(their_args, my_args), *come = missing(my_args, their_args);
    int status = 0;
    if (gone || come)
        status = sb_error("%s: of another run: it has %s, this one %s", path, gone ? gone : "no such option",
                          come ? come : "has not");
    else if (!json_equal(json_object_get(theirs, "files"), json_object_get(mine, "files")))
        status = sb_error("%s: of another run: the files that its options name were others", path);
    else if (!json_equal(theirs, mine))
        status = sb_error("%s: of another run: another version of the program, or its options in another order", path);
    json_decref(theirs);
    json_decref(mine);
    return status;
}

static int load_weights(const struct sb_weights *w, const char *path, struct sb_net *net, const struct sb_model *m,
                        bool averaged, uint64_t steps)
{
    struct sb_net_state n = {.steps = steps};
    take_buffers(&n, m, averaged);
    float *const data[] = {n.master, n.moment1, n.moment2, n.average};
    int status = 0;
    for (int i = 0; i < (averaged ? 4 : 3) && !status; i++) {
        const struct sb_tensor *t = sb_weights_find(w, tensor_name[i]);
        if (!t || t->dtype != SB_F32 || sb_tensor_count(t) != m->total)
            status = sb_error("%s: of another run: its weights are not of this model", path);
        else
            memcpy(data[i], t->data, (size_t)m->total * sizeof(float));
    }
    if (!status) status = sb_net_load_state(net, &n);
    free_buffers(&n);
    return status;
}

int sb_train_state_load(const char *path, struct sb_train_state *s, struct sb_net *net, const struct sb_model *m,
                        bool averaged)
{
    struct sb_weights w;
    unsigned long long steps;
    if (access(path, F_OK)) return 0;
    if (sb_weights_open(&w, path)) return -1;
    int status = check_run(&w, path, m);
    const char *at = sb_weights_metadata(&w, "at"), *count = sb_weights_metadata(&w, "steps");
    bool whole = at && count && sscanf(count, "%llu", &steps) == 1 &&
                 sscanf(at, "%d %d %d %lf", &s->epochs, &s->kept_epoch, &s->best_epoch, &s->best_score) == 4 &&
                 s->kept_epoch >= 0 && s->kept_epoch <= s->epochs && s->best_epoch >= 0 && s->best_epoch <= s->epochs;
    if (!status && !whole) status = sb_error("%s: not the state of a training run", path);
    if (!status) status = load_weights(&w, path, net, m, averaged, steps);
    sb_weights_close(&w);
    return status ? -1 : 1;
}
