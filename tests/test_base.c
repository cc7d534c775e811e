/* lib/base: messages, options, numbers, hashes, chance, tables, the ordered pipeline, outputs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/opt.h"
#include "base/output.h"
#include "base/philox.h"
#include "base/pipeline.h"
#include "base/progress.h"
#include "base/rng.h"
#include "base/table.h"
#include "base/tensor.h"

/* Runs fn in a child; its exit status (-1 if it was killed), and what it wrote to stderr and stdout. */
static int in_child(void (*fn)(void), char *said, size_t size)
{
    int end[2], status;
    size_t got = 0;
    ssize_t n;
    assert_int_equal(pipe(end), 0);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(end[1], 1);
        dup2(end[1], 2);
        close(end[0]);
        fn();
        fflush(stdout);
        _exit(0);
    }
    close(end[1]);
    while ((n = read(end[0], said + got, size - 1 - got)) > 0) got += (size_t)n;
    said[got] = 0;
    close(end[0]);
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- messages and memory ---- */

static void die_with_control_bytes(void)
{
    sb_program = "sb-x";
    sb_die("bad\nname \x1b[31m%s", "end");
}

static void want_too_much(void)
{
    sb_program = "sb-x";
    sb_calloc(SIZE_MAX / 2, 4);
}

static void warn_quietly(void)
{
    sb_quiet = true;
    sb_warn("not seen");
}

static void test_messages(void **state)
{
    (void)state;
    char said[2048];
    assert_int_equal(in_child(die_with_control_bytes, said, sizeof said), 1);
    assert_string_equal(said, "sb-x: bad?name ?[31mend\n");
    assert_int_equal(in_child(want_too_much, said, sizeof said), 1);
    assert_non_null(strstr(said, "sb-x: out of memory: wanted "));
    assert_int_equal(in_child(warn_quietly, said, sizeof said), 0);
    assert_string_equal(said, "");
    assert_int_equal(sb_error("first %d", 1), -1);
    sb_error("second after '%s'", sb_error_message());
    assert_string_equal(sb_error_message(), "second after 'first 1'");
}

static void test_memory(void **state)
{
    (void)state;
    int *p = NULL;
    size_t cap = 0;
    SB_GROW(p, cap, 9);
    assert_true(cap >= 9);
    p[8] = 1;
    free(p);
    char *a = sb_aligned(64, 65);
    assert_int_equal((uintptr_t)a % 64, 0);
    for (int i = 0; i < 65; i++) assert_int_equal(a[i], 0);
    free(a);
    char *s = sb_format("%d-%s", 7, "x");
    assert_string_equal(s, "7-x");
    free(s);
    size_t product;
    assert_false(sb_mul(SIZE_MAX, 2, &product));
}

/* ---- options ---- */

static int64_t jobs;
static double rate;
static bool mark;
static const char *model, *output, *fit;
static struct sb_texts many;
static const struct sb_opt opts[] = {
    SB_OPT_JOBS(&jobs),
    SB_OPT_MODEL(&model),
    SB_OPT_OUTPUT(&output),
    {'r', "rate", "R", SB_REAL, &rate, 0, "a rate", 0, 10},
    {'k', "mark", NULL, SB_FLAG, &mark, 0,
     "mark them, do not drop them, however many words that takes to be said in a help text", 0, 0},
    {0, "add", "WORD", SB_TEXTS, &many, 0, "add a word", 0, 0},
    {0, "fit", "crop|stretch", SB_TEXT, &fit, 0, "how", 0, 0},
    {0, "on", "cpu|NAME", SB_TEXT, &fit, 0, "where", 0, 0},
    SB_OPT_END,
};
static const struct sb_tool tool = {"sb-x", "[FILE]", "Does a thing.", opts, false};
static char **words;
static struct sb_args args;

static void parse_words(void)
{
    int n = 0;
    while (words[n]) n++;
    sb_opt_parse(&tool, n, words, &args);
}

#define WORDS(...) (words = (char *[]){"sb-x", __VA_ARGS__, NULL})

static void test_options(void **state)
{
    (void)state;
    WORDS("-kj4", "in.sb", "--rate=2.5", "--model", "/a/b/reef.safetensors", "--add", "one", "--add=two", "-oout.sb",
          "--", "-dash", "rtsp://me:secret@host/x@y");
    parse_words();
    assert_true(mark);
    assert_int_equal(jobs, 4);
    assert_true(rate == 2.5);
    assert_string_equal(model, "/a/b/reef.safetensors");
    assert_string_equal(output, "out.sb");
    assert_int_equal(many.count, 2);
    assert_string_equal(many.text[1], "two");
    assert_int_equal(args.count, 3);
    assert_string_equal(args.operand[0], "in.sb");
    assert_string_equal(args.operand[1], "-dash");
    assert_null(args.operand[3]);
    /* No -j, no -o; the model by its base name; no password. */
    const char *const recorded[] = {"--mark",    "in.sb",     "--rate=2.5", "--model=reef.safetensors",
                                    "--add=one", "--add=two", "-dash",      "rtsp://***@host/x@y"};
    assert_int_equal(args.nrecorded, 8);
    for (size_t i = 0; i < 8; i++) assert_string_equal(args.recorded[i], recorded[i]);
    assert_int_equal(args.nfile, 1);
    assert_string_equal(args.file[0], "/a/b/reef.safetensors");
    for (size_t i = 0; i < args.nrecorded; i++) free(args.recorded[i]);
    free(args.recorded);
    free(args.file);
    free(args.operand);
    free(many.text);
}

static void parse_command_words(void)
{
    int n = 0;
    while (words[n]) n++;
    sb_opt_parse_command(&tool, n, words, &args);
}

static void test_command(void **state)
{
    (void)state;
    char said[4096];
    WORDS("--rate=2", "in.sb", "--", "/bin/sh", "--mark", "--", "--config=/etc/passwd", "s/a/b/", "/etc/");
    parse_command_words();
    assert_int_equal(args.count, 1);
    assert_ptr_equal(args.command, &words[4]);
    const char *const recorded[] = {"--rate=2", "in.sb", "--", "sh", "--mark", "--", "--config=passwd", "s/a/b/", "etc"};
    assert_int_equal(args.nrecorded, 9);
    for (size_t i = 0; i < 9; i++) assert_string_equal(args.recorded[i], recorded[i]);
    assert_int_equal(args.nfile, 2);
    assert_string_equal(args.file[0], "/bin/sh");
    assert_string_equal(args.file[1], "/etc/passwd");
    for (size_t i = 0; i < args.nrecorded; i++) free(args.recorded[i]);
    free(args.recorded);
    free(args.file);
    free(args.operand);
    WORDS("in.sb", "--");
    assert_int_equal(in_child(parse_command_words, said, sizeof said), 2);
    assert_string_equal(said, "sb-x: say what to run, behind --\nTry 'sb-x --help'.\n");
}

static void assert_usage(const char *message)
{
    char said[4096];
    assert_int_equal(in_child(parse_words, said, sizeof said), 2);
    char *want = sb_format("sb-x: %s\nTry 'sb-x --help'.\n", message);
    assert_string_equal(said, want);
    free(want);
}

static void test_wrong_usage(void **state)
{
    (void)state;
    WORDS("--nope");
    assert_usage("unknown option --nope");
    WORDS("-z");
    assert_usage("unknown option -z");
    WORDS("-j");
    assert_usage("--jobs needs a value: N");
    WORDS("-j", "4x");
    assert_usage("--jobs: '4x' is not a whole number");
    WORDS("-j0");
    assert_usage("--jobs: 0 is not within 1 to 1024");
    WORDS("--rate=nan");
    assert_usage("--rate: 'nan' is not a number");
    WORDS("--rate=");
    assert_usage("--rate: '' is not a number");
    WORDS("--mark=1");
    assert_usage("--mark takes no value");
    WORDS("--on", "anything", "--fit=letterbox");
    assert_usage("--fit is crop or stretch, not 'letterbox'");
}

static void test_help(void **state)
{
    (void)state;
    char said[4096];
    WORDS("--help");
    assert_int_equal(in_child(parse_words, said, sizeof said), 0);
    assert_non_null(strstr(said, "usage: sb-x [OPTION]... [FILE]\n\nDoes a thing.\n"));
    assert_non_null(strstr(said, "\n  -r, --rate R            a rate\n"));
    for (char *line = strtok(said, "\n"); line; line = strtok(NULL, "\n")) assert_true(strlen(line) <= 80);
    WORDS("--list-options");
    assert_int_equal(in_child(parse_words, said, sizeof said), 0);
    assert_non_null(strstr(said, "sb-x\t\t\t[FILE]\tDoes a thing.\nsb-x\t-j\t--jobs\tvalue\t"));
    assert_non_null(strstr(said, "\nsb-x\t-m\t--model\tfile\t"));
    assert_non_null(strstr(said, "\nsb-x\t\t--fit\tcrop|stretch\thow\n"));
    assert_non_null(strstr(said, "\nsb-x\t-h\t--help\tflag\t"));
    WORDS("--version");
    assert_int_equal(in_child(parse_words, said, sizeof said), 0);
    assert_string_equal(said, "sb-x " SB_VERSION "\n");
}

static void test_split(void **state)
{
    (void)state;
    struct sb_texts t = {0};
    sb_texts_split(",a,,bc,", ',', &t);
    assert_int_equal(t.count, 2);
    assert_string_equal(t.text[1], "bc");
    free((char *)t.text[0]);
    free((char *)t.text[1]);
    free(t.text);
    assert_true(sb_cores() >= 1);
}

/* ---- numbers ---- */

static void test_tensor(void **state)
{
    (void)state;
    char text[64];
    struct sb_tensor t = {.dtype = SB_F32, .ndim = 3, .shape = {3, 224, 224}}, scalar = {.dtype = SB_U8};
    assert_string_equal(sb_tensor_text(&t, text, sizeof text), "f32 [3,224,224]");
    assert_int_equal(sb_tensor_bytes(&t), 3 * 224 * 224 * 4);
    assert_int_equal(sb_tensor_count(&scalar), 1);
    assert_true(sb_bf16_to_f32(sb_f32_to_bf16(1.0f)) == 1.0f);
    assert_int_equal(sb_f32_to_bf16(0x1.01p0f), 0x3f80);  /* a tie goes to even */
    assert_int_equal(sb_f32_to_bf16(0x1.03p0f), 0x3f82);
    assert_true(isnan(sb_bf16_to_f32(sb_f32_to_bf16(NAN))));
    assert_true(sb_f16_to_f32(0x3c00) == 1.0f);
    assert_true(sb_f16_to_f32(0xc000) == -2.0f);
    assert_true(sb_f16_to_f32(0x0001) == 0x1p-24f);
    assert_true(sb_f16_to_f32(0x7bff) == 65504.0f);
    assert_true(isinf(sb_f16_to_f32(0x7c00)));
    assert_true(isnan(sb_f16_to_f32(0x7e00)));
}

static void test_hash(void **state)
{
    (void)state;
    char hex[SB_HEX], other[SB_HEX];
    const float box[4] = {1, 2, 3, 4};
    sb_hash_hex(sb_hash_bytes("", 0), hex);
    assert_string_equal(hex, "99aa06d3014798d86001c324468d497f"); /* xxhsum -H2 of nothing */
    FILE *f = fopen("hash.tmp", "w");
    fputs("abc", f);
    fclose(f);
    assert_int_equal(sb_hash_file("hash.tmp", hex), 0);
    sb_hash_hex(sb_hash_bytes("abc", 3), other);
    assert_string_equal(hex, other);
    unlink("hash.tmp");
    assert_int_equal(sb_hash_file("hash.tmp", hex), -1);
    assert_non_null(strstr(sb_error_message(), "hash.tmp: No such file"));
    sb_hash_id("a.mp4", 5, NULL, hex);
    sb_hash_id("a.mp4", 5, box, other);
    assert_string_not_equal(hex, other);
    sb_hash_id("a.mp4", 6, NULL, other);
    assert_string_not_equal(hex, other);
}

static void test_chance(void **state)
{
    (void)state;
    /* The known answers of the paper's authors (Random123, kat_vectors). */
    struct sb_philox p = sb_philox(0, 0, 0, 0, 0);
    assert_int_equal(p.w[0], 0x6627e8d5);
    assert_int_equal(p.w[3], 0x9b00dbd8);
    p = sb_philox(UINT64_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX);
    assert_int_equal(p.w[0], 0x408f276d);

    struct sb_rng r, again;
    sb_rng_init(&r, 7, 1);
    sb_rng_init(&again, 7, 1);
    double sum = 0, squares = 0;
    uint32_t seen[6] = {0}, item[10];
    for (int i = 0; i < 60000; i++) {
        double x = sb_rng_normal(&r);
        sum += x;
        squares += x * x;
        assert_true(x == sb_rng_normal(&again));
    }
    assert_true(fabs(sum / 60000) < 0.02 && fabs(squares / 60000 - 1) < 0.03);
    for (int i = 0; i < 60000; i++) seen[sb_rng_below(&r, 6)]++;
    for (int i = 0; i < 6; i++) assert_in_range(seen[i], 9600, 10400);
    for (uint32_t i = 0; i < 10; i++) item[i] = i;
    sb_rng_shuffle(&r, item, 10);
    uint32_t mask = 0;
    for (int i = 0; i < 10; i++) mask |= 1u << item[i];
    assert_int_equal(mask, 0x3ff);
}

/* ---- tables and counts ---- */

static void print_counts(void)
{
    struct sb_counts c = {.in = 4, .out = 1};
    sb_program = "sb-x";
    sb_counts_skip(&c, "near duplicate");
    sb_counts_skip(&c, "blurred");
    sb_counts_skip(&c, "near duplicate");
    sb_counts_print(&c);
}

static void print_table(void)
{
    struct sb_table t = {.align = "lrl"};
    sb_table_add(&t, "name");
    sb_table_add(&t, "n");
    sb_table_add(&t, "note");
    sb_table_add(&t, "é\x1b");
    sb_table_add(&t, "%d", 12);
    sb_table_add(&t, "%s", "");
    sb_table_print(&t, stdout, 2);
    sb_table_free(&t);
    sb_text_print(stdout, "0123456789", 10, 6);
}

static void test_print(void **state)
{
    (void)state;
    char said[1024];
    in_child(print_counts, said, sizeof said);
    assert_string_equal(said, "sb-x: 4 in, 1 out, 3 skipped: 2 near duplicate, 1 blurred\n");
    in_child(print_table, said, sizeof said);
    assert_string_equal(said, "  name   n  note\n  é?    12\n012...");
}

/* ---- pipeline ---- */

struct job {
    uint32_t in, out;
    char *owned;
};

struct sums {
    uint32_t produced, consumed, released, limit;
    bool ordered;
};

static bool produce(void *arg, void *item)
{
    struct sums *s = arg;
    struct job *j = item;
    if (s->produced == s->limit) return false;
    if (!j->owned) j->owned = sb_malloc(8);
    j->in = s->produced++;
    return true;
}

static void work(void *arg, void *item)
{
    (void)arg;
    struct job *j = item;
    if (j->in % 3 == 0) sched_yield();
    j->out = j->in * 2 + 1;
}

static void consume(void *arg, void *item)
{
    struct sums *s = arg;
    struct job *j = item;
    s->ordered &= j->in == s->consumed && j->out == 2 * s->consumed + 1;
    s->consumed++;
}

static void release(void *arg, void *item)
{
    struct sums *s = arg;
    struct job *j = item;
    s->released++;
    free(j->owned);
}

static void idle(void *arg)
{
    (void)arg;
}

static void test_pipeline(void **state)
{
    (void)state;
    for (int jobs_ = 1; jobs_ <= 5; jobs_ += 2) {
        for (uint32_t limit = 0; limit < 2000; limit = limit * 9 + 1) {
            struct sums s = {.limit = limit, .ordered = true};
            struct sb_pipeline p = {.jobs = jobs_,
                                    .depth = jobs_ == 5 ? 2 : 0,
                                    .item_size = sizeof(struct job),
                                    .produce = produce,
                                    .work = work,
                                    .consume = consume,
                                    .release = release,
                                    .idle = jobs_ == 3 ? idle : NULL,
                                    .arg = &s};
            sb_pipeline_run(&p);
            assert_true(s.ordered);
            assert_int_equal(s.consumed, limit);
            assert_int_equal(s.released, jobs_ == 1 ? 1 : jobs_ == 5 ? 2 : 8);
        }
    }
}

/* ---- outputs ---- */

static void write_and_die(void)
{
    struct sb_output *o = sb_output_open("keep.tmp");
    sb_output_write(o, "new", 3);
    sb_program = "sb-x";
    sb_die("no");
}

static void write_and_be_told_to_end(void)
{
    struct sb_output *o = sb_output_open("keep.tmp");
    sb_output_write(o, "new", 3);
    raise(SIGTERM);
}

static char *contents(const char *path)
{
    static char text[64];
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    return text;
}

static void test_output(void **state)
{
    (void)state;
    char said[256];
    struct sb_output *o = sb_output_open("keep.tmp");
    sb_output_write(o, "old", 3);
    assert_int_equal(access("keep.tmp", F_OK), -1);
    sb_output_close(o);
    assert_string_equal(contents("keep.tmp"), "old");
    assert_int_equal(in_child(write_and_die, said, sizeof said), 1);
    assert_string_equal(contents("keep.tmp"), "old");
    assert_int_equal(in_child(write_and_be_told_to_end, said, sizeof said), -1);
    assert_string_equal(contents("keep.tmp"), "old");
    assert_int_equal(system("ls -a | grep -q '^[.]keep.tmp'"), 256); /* no sibling is left */
    FILE *f = sb_output_stdio("keep.tmp");
    fputs("third", f);
    fclose(f);
    assert_string_equal(contents("keep.tmp"), "third");
    unlink("keep.tmp");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),    cmocka_unit_test(test_memory),   cmocka_unit_test(test_options),
        cmocka_unit_test(test_command),
        cmocka_unit_test(test_wrong_usage), cmocka_unit_test(test_help),     cmocka_unit_test(test_split),
        cmocka_unit_test(test_tensor),      cmocka_unit_test(test_hash),     cmocka_unit_test(test_chance),
        cmocka_unit_test(test_print),       cmocka_unit_test(test_pipeline), cmocka_unit_test(test_output),
    };
    char dir[] = "/tmp/test_base.XXXXXX";
    if (!mkdtemp(dir) || chdir(dir)) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (rmdir(dir)) perror(dir);
    return failed;
}
