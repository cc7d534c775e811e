/* YAML as the values that JSON has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "formats/yaml_file.h"

static int read_text(const char *text, json_t **out)
{
    char path[] = "/tmp/test_yaml.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    int rc = sb_yaml_read(path, out);
    unlink(path);
    return rc;
}

static void gives(const char *text, const char *want)
{
    json_t *got, *wanted = json_loads(want, JSON_DECODE_ANY, NULL);
    assert_non_null(wanted);
    if (read_text(text, &got)) fail_msg("%s", sb_error_message());
    if (!json_equal(got, wanted)) fail_msg("'%s' is %s", text, json_dumps(got, JSON_ENCODE_ANY));
    json_decref(got);
    json_decref(wanted);
}

static void refused(const char *text, const char *why)
{
    json_t *got;
    assert_int_equal(read_text(text, &got), -1);
    assert_null(got);
    if (!strstr(sb_error_message(), why)) fail_msg("'%s' does not say '%s'", sb_error_message(), why);
}

static void scalars(void **state)
{
    (void)state;
    gives("[1, -2, +3, 0.5, .5, 1., 1e3, -1.5E-2, 007]", "[1, -2, 3, 0.5, 0.5, 1.0, 1000.0, -0.015, 7]");
    gives("[true, False, null, ~, no, on, yes, .nan, 0x1F, 1_000]",
          "[true, false, null, null, \"no\", \"on\", \"yes\", \".nan\", \"0x1F\", \"1_000\"]");
    gives("['1', \"true\", !!str 7, 2019-04-06 05:27:26.25, '']",
          "[\"1\", \"true\", \"7\", \"2019-04-06 05:27:26.25\", \"\"]");
    gives("[99999999999999999999, 1e999, 1-2]", "[1e20, \"1e999\", \"1-2\"]");
}

static void nesting(void **state)
{
    (void)state;
    gives("a:\n  - {b: c}\n  -\n    d: |\n      x\n      y\n0: z\nempty:\n",
          "{\"a\": [{\"b\": \"c\"}, {\"d\": \"x\\ny\\n\"}], \"0\": \"z\", \"empty\": null}");
    gives("%YAML 1.2\n---\nkey: \"\\u00e9\"\n---\nanother: document\n", "{\"key\": \"é\"}");
}

static void what_is_refused(void **state)
{
    (void)state;
    refused("a: &x [1]\nb: *x\n", "line 2: an alias");
    refused("a: 1\na: 2\n", "line 2: the key 'a' stands twice");
    refused("? [1, 2]\n: 3\n", "a key that is no text");
    refused("a: [1\nb: 2\n", "line ");
    refused("# nothing\n", "it is empty");
    refused("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "too many");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars),
        cmocka_unit_test(nesting),
        cmocka_unit_test(what_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
