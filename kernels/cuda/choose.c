/* Which way is fastest: timed once, remembered here and in a small text file. A line of the file is
 *
 *     VERSION <tab> GPU <tab> DRIVER <tab> NAME NUMBERS... of WAYS <tab> WAY <tab> MICROSECONDS
 *
 * and all up to the way is the key. Machines that share a home share the file: lines of other GPUs and drivers are
 * kept. A file that can't be read or written, or that holds something else, is done without. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "kernels/cuda/matmul.h"

#define VERSION "1"
#define MOST_WAYS 16
#define ROUNDS 5
#define MOST_REPEATS 20
#define ROUND_MS 0.1f       /* how long a round takes at least, where that many repeats do */
#define FILE_MOST (4 << 20) /* bytes: a larger file is not ours */

struct choice {
    char *key;
    int way;
    double microseconds;
};

struct sb_cuda_choices {
    char *machine; /* how the keys of this GPU and driver begin */
    char *path;    /* of the file; NULL: none */
    struct choice *choice;
    size_t count, room;
};

/* ---- the table and its file -------------------------------------------------------------------------------------- */

static struct choice *find(const struct sb_cuda_choices *c, const char *key)
{
    for (size_t i = 0; i < c->count; i++) {
        if (!strcmp(c->choice[i].key, key)) return &c->choice[i];
    }
    return NULL;
}

/* What is known already stays as it is. */
static void add(struct sb_cuda_choices *c, const char *key, int way, double microseconds)
{
    if (find(c, key)) return;
    SB_GROW(c->choice, c->room, c->count + 1);
    c->choice[c->count++] = (struct choice){sb_strdup(key), way, microseconds};
}

/* A line without its end. */
static void read_line(struct sb_cuda_choices *c, char *line)
{
    char *time = strrchr(line, '\t'), *way = NULL, *end;
    if (time) {
        *time++ = 0;
        way = strrchr(line, '\t');
    }
    if (!way || strncmp(line, VERSION "\t", strlen(VERSION "\t"))) return;
    *way++ = 0;
    long which = strtol(way, &end, 10);
    if (end == way || *end || which < 0 || which >= MOST_WAYS) return;
    double microseconds = strtod(time, &end);
    if (end == time || *end) return;
    add(c, line, (int)which, microseconds);
}

static void read_file(struct sb_cuda_choices *c)
{
    FILE *f = c->path ? fopen(c->path, "re") : NULL;
    char *line = NULL;
    size_t room = 0;
    struct stat s;
    ssize_t n;
    if (!f) return;
    bool ours = !fstat(fileno(f), &s) && S_ISREG(s.st_mode) && s.st_size <= FILE_MOST;
    while (ours && (n = getline(&line, &room, f)) > 0) {
        if (line[n - 1] != '\n') break; /* cut off */
        line[n - 1] = 0;
        if (strlen(line) == (size_t)n - 1) read_line(c, line);
    }
    free(line);
    fclose(f);
}

/* Beside it under another name, then renamed: whoever reads it meanwhile reads the old one. Of two processes that write
 * at once the later one wins; what the other had found is timed again some day. */
static void write_file(struct sb_cuda_choices *c)
{
    if (!c->path) return;
    read_file(c); /* what others have found since */
    char *temporary = sb_format("%s.XXXXXX", c->path);
    int fd = mkostemp(temporary, O_CLOEXEC);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    if (f) {
        for (size_t i = 0; i < c->count; i++)
            fprintf(f, "%s\t%d\t%.1f\n", c->choice[i].key, c->choice[i].way, c->choice[i].microseconds);
        bool whole = !ferror(f);
        whole = fclose(f) == 0 && whole;
        if (!whole || rename(temporary, c->path)) unlink(temporary);
    }
    free(temporary);
}

static char *file_path(void)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char *base = cache && *cache == '/' ? sb_strdup(cache) : home && *home == '/' ? sb_format("%s/.cache", home) : NULL;
    if (!base) return NULL;
    char *folder = sb_format("%s/seabot", base), *path = sb_format("%s/cuda-choices", folder);
    mkdir(base, 0700);
    mkdir(folder, 0777);
    free(base);
    free(folder);
    return path;
}

static struct sb_cuda_choices *choices(struct sb_dev *d)
{
    if (d->choices) return d->choices;
    struct cudaDeviceProp properties;
    int driver = 0;
    sb_cuda_check(d, cudaGetDeviceProperties(&properties, d->index), "cannot ask for its name");
    sb_cuda_check(d, cudaDriverGetVersion(&driver), "cannot ask for the driver's version");
    struct sb_cuda_choices *c = d->choices = sb_calloc(1, sizeof *c);
    c->machine = sb_format(VERSION "\t%s\t%d\t", properties.name, driver);
    c->path = file_path();
    read_file(c);
    return c;
}

void sb_cuda_choices_close(struct sb_dev *d)
{
    struct sb_cuda_choices *c = d->choices;
    if (!c) return;
    for (size_t i = 0; i < c->count; i++) free(c->choice[i].key);
    free(c->choice);
    free(c->machine);
    free(c->path);
    free(c);
    d->choices = NULL;
}

/* ---- timing ------------------------------------------------------------------------------------------------------ */

/* Milliseconds of what is queued between start and stop. */
struct timer {
    struct sb_dev *d;
    cudaEvent_t start, stop;
};

static void timer_start(const struct timer *t)
{
    sb_cuda_check(t->d, cudaEventRecord(t->start, t->d->stream), "cannot start a timer");
}

static float timer_stop(const struct timer *t)
{
    float ms = 0;
    sb_cuda_check(t->d, cudaEventRecord(t->stop, t->d->stream), "cannot stop a timer");
    sb_cuda_check(t->d, cudaEventSynchronize(t->stop), "cannot wait for a timer");
    sb_cuda_check(t->d, cudaEventElapsedTime(&ms, t->start, t->stop), "cannot read a timer");
    return ms;
}

/* A graph of so many repeats: passes are replayed from graphs, too, so that what the host takes to queue a kernel does
 * not count. NULL where that can't be captured. */
static cudaGraphExec_t graph_of(struct sb_dev *d, int repeats, int way, void (*run)(void *arg, int way), void *arg)
{
    cudaGraph_t graph = NULL;
    cudaGraphExec_t made = NULL;
    sb_cuda_check(d, cudaStreamBeginCapture(d->stream, cudaStreamCaptureModeThreadLocal), "cannot capture");
    for (int i = 0; i < repeats; i++) run(arg, way);
    cudaError_t status = cudaStreamEndCapture(d->stream, &graph);
    if (!status) status = cudaGraphInstantiate(&made, graph, 0);
    if (graph) cudaGraphDestroy(graph);
    if (status) (void)cudaGetLastError();
    return status ? NULL : made;
}

static float median(float *x, int n)
{
    for (int i = 1; i < n; i++) {
        for (int j = i; j > 0 && x[j] < x[j - 1]; j--) {
            float other = x[j];
            x[j] = x[j - 1];
            x[j - 1] = other;
        }
    }
    return x[n / 2];
}

/* Milliseconds of each way. They take turns, so that a clock that drifts is fair to all. */
static void measure(struct sb_dev *d, int ways, void (*run)(void *arg, int way), void *arg, float *ms)
{
    struct timer t = {.d = d};
    cudaGraphExec_t graph[MOST_WAYS];
    float round[MOST_WAYS][ROUNDS];
    int repeats[MOST_WAYS];
    sb_cuda_check(d, cudaEventCreate(&t.start), "cannot make a timer");
    sb_cuda_check(d, cudaEventCreate(&t.stop), "cannot make a timer");
    for (int way = 0; way < ways; way++) {
        run(arg, way); /* its kernels are loaded, its own choices made */
        timer_start(&t);
        run(arg, way);
        float once = timer_stop(&t);
        repeats[way] = once * MOST_REPEATS > ROUND_MS ? (int)(ROUND_MS / once) + 1 : MOST_REPEATS;
        graph[way] = graph_of(d, repeats[way], way, run, arg);
    }
    for (int i = -1; i < ROUNDS; i++) { /* the first round warms up */
        for (int way = 0; way < ways; way++) {
            timer_start(&t);
            if (graph[way]) sb_cuda_check(d, cudaGraphLaunch(graph[way], d->stream), "cannot replay");
            for (int k = 0; !graph[way] && k < repeats[way]; k++) run(arg, way);
            round[way][i < 0 ? 0 : i] = timer_stop(&t) / (float)repeats[way];
        }
    }
    for (int way = 0; way < ways; way++) {
        ms[way] = median(round[way], ROUNDS);
        if (graph[way]) cudaGraphExecDestroy(graph[way]);
    }
    cudaEventDestroy(t.start);
    cudaEventDestroy(t.stop);
}

static char *key_of(const struct sb_cuda_choices *c, const char *name, const int64_t *number, int numbers, int ways)
{
    char text[512];
    int n = snprintf(text, sizeof text, "%s", name);
    for (int i = 0; i < numbers && n < (int)sizeof text; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, " %lld", (long long)number[i]);
    return sb_format("%s%s of %d", c->machine, text, ways);
}

int sb_cuda_choose(struct sb_dev *d, const char *name, const int64_t *number, int numbers, int ways,
                   void (*run)(void *arg, int way), void *arg)
{
    if (ways > MOST_WAYS) ways = MOST_WAYS;
    if (ways < 2) return 0;
    char *key = key_of(choices(d), name, number, numbers, ways);
    struct choice *known = find(d->choices, key);
    int best = known && known->way < ways ? known->way : 0;
    if (!known && !sb_cuda_captures(d)) {
        float ms[MOST_WAYS];
        measure(d, ways, run, arg, ms);
        for (int way = 1; way < ways; way++) {
            if (ms[way] < ms[best]) best = way;
        }
        add(d->choices, key, best, 1e3 * (double)ms[best]);
        write_file(d->choices);
    }
    free(key);
    return best;
}
