/* The stand-in for the CUDA execution model itself: each planted fault is found, and its right version passes in every
 * order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "cusim_faults.h"

static const char *const orders[] = {"forward", "reverse", "1", "2", "3"};
enum { ORDERS = sizeof orders / sizeof *orders };

struct outcome {
    int status; /* of the process */
    float out[FAULT_OUT], expected[FAULT_OUT];
    char said[4096];
};

static void run_in_child(const struct fault *f, bool wrong, int to[2])
{
    struct outcome o = {0};
    dup2(to[1], 2);
    f->run(wrong, o.out, o.expected);
    _exit(write(to[0], &o, sizeof o) == sizeof o ? 0 : 1);
}

static struct outcome run(const struct fault *f, bool wrong, const char *order)
{
    struct outcome o = {0};
    FILE *results = tmpfile(), *words = tmpfile();
    setenv("CUSIM_ORDER", order, 1);
    pid_t child = fork();
    if (!child) run_in_child(f, wrong, (int[2]){fileno(results), fileno(words)});
    int status = -1;
    waitpid(child, &status, 0);
    rewind(results), rewind(words);
    if (fread(&o, 1, sizeof o, results) != sizeof o && !status) status = -1;
    o.status = status;
    o.said[fread(o.said, 1, sizeof o.said - 1, words)] = 0;
    fclose(results), fclose(words);
    return o;
}

static bool is_right(const struct outcome *o)
{
    return !o->status && !memcmp(o->out, o->expected, sizeof o->out);
}

static void test_fault(void **state)
{
    const struct fault *f = *state;
    bool found = false;
    for (int i = 0; i < ORDERS; i++) {
        struct outcome right = run(f, false, orders[i]), wrong = run(f, true, orders[i]);
        if (!is_right(&right)) fail_msg("%s: the right version fails in order %s: %s", f->name, orders[i], right.said);
        if (f->says && !strstr(wrong.said, f->says)) fail_msg("%s: said '%s'", f->name, wrong.said);
        if (f->says && !wrong.status) fail_msg("%s: it went on", f->name);
        if (!f->says && wrong.status) fail_msg("%s: did not go on: %s", f->name, wrong.said);
        found = found || !is_right(&wrong);
    }
    if (!found) fail_msg("%s: not found", f->name);
}

int main(void)
{
    struct CMUnitTest test[64];
    for (int i = 0; i < fault_count; i++)
        test[i] = (struct CMUnitTest){faults[i].name, test_fault, NULL, NULL, (void *)&faults[i]};
    return _cmocka_run_group_tests("cusim", test, (size_t)fault_count, NULL, NULL);
}
