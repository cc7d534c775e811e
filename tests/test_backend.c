/* Rung 2: a backend against the reference, for every case of op_cases.c: test_backend [BACKEND [OP]], BACKEND by default $SB_BACKEND or cpu.
 * Skipped, and said so, where the plugin is not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "nn/backend.h"
#include "op_cases.h"

static const char *name = "cpu";
static struct sb_backend backend;
static bool missing;

/* Plugins of this build, where the caller names no others: bin/ beside the folder of this program. */
static void name_plugins(void)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0) return;
    path[n] = 0;
    for (int i = 0; i < 2 && strrchr(path, '/'); i++) *strrchr(path, '/') = 0;
    char *folder = sb_format("%s/bin", path);
    setenv("SEABOT_PLUGINS", folder, 0);
    free(folder);
}

static bool plugin_is_there(void)
{
    if (!strcmp(name, "ref")) return true;
    char *path = sb_format("%s/seabot-%s.so", getenv("SEABOT_PLUGINS"), name);
    bool there = access(path, R_OK) == 0;
    if (!there) print_message("no %s: the tests of this backend are skipped\n", path);
    free(path);
    return there;
}

/* All cases of the op that *state names, in both dtypes. */
static void test_op(void **state)
{
    if (missing) skip();
    int wrong = 0;
    for (int i = 0; i < op_case_count; i++) {
        const struct op_case *c = &op_cases[i];
        for (int bf16 = 0; bf16 < 2 && !strcmp(c->op, *state); bf16++) {
            char what[512], title[256];
            enum sb_dtype act = bf16 ? SB_BF16 : SB_F32;
            if (!op_case_has_dtype(c, act) || op_case_run(c, act, backend.ops, backend.dev, what, sizeof what)) continue;
            op_case_name(c, act, title, sizeof title);
            print_error("%s: %s: %s\n", name, title, what);
            wrong++;
        }
    }
    if (wrong) fail_msg("%d cases of %s are wrong", wrong, (const char *)*state);
}

int main(int argc, char **argv)
{
    static struct CMUnitTest test[128];
    size_t tests = 0;
    if (getenv("SB_BACKEND")) name = getenv("SB_BACKEND");
    if (argc > 1) name = argv[1];
    name_plugins();
    missing = !plugin_is_there();
    if (!missing && sb_backend_open(&backend, name, 2) < 0) {
        print_error("%s\n", sb_error_message());
        return 1;
    }
    for (int i = 0; i < op_case_count; i++) {
        const char *op = op_cases[i].op;
        if (argc > 2 && strcmp(argv[2], op)) continue;
        if (tests && test[tests - 1].name == op) continue;
        test[tests++] = (struct CMUnitTest){op, test_op, NULL, NULL, (void *)op};
    }
    int failed = _cmocka_run_group_tests("backend", test, tests, NULL, NULL);
    if (!missing) sb_backend_close(&backend);
    return failed;
}
