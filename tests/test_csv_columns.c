/* Tables by their titles, on files as spreadsheets write them. */
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
#include "formats/csv_columns.h"

enum { NAME, DEPTH, COUNT, SURE, COLUMNS };

static const struct sb_csv_column columns[COLUMNS] = {[NAME] = {"name|title", true},
                                                      [DEPTH] = {"depth|depthMeters", true},
                                                      [COUNT] = {"count", false},
                                                      [SURE] = {"sure", false}};

static char *seen; /* what each row said */

static int each(void *arg, const struct sb_csv_table *t)
{
    double depth = -1;
    int64_t count = -1;
    bool sure = false;
    (void)arg;
    int rc = sb_csv_table_real(t, DEPTH, &depth), counted = sb_csv_table_int(t, COUNT, &count);
    int said = sb_csv_table_bool(t, SURE, &sure);
    if (rc < 0 || counted < 0 || said < 0) return -1;
    char *more = sb_format("%s%s %d %g %d %ld %d;", seen ? seen : "", sb_csv_table_text(t, NAME), rc, depth, counted,
                           (long)count, said ? sure : -1);
    free(seen);
    seen = more;
    return 0;
}

static int load(const char *text)
{
    char path[] = "/tmp/test_csv_columns.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    free(seen);
    seen = NULL;
    int rc = sb_csv_table_load(path, columns, COLUMNS, each, NULL);
    unlink(path);
    return rc;
}

static void gives(const char *text, const char *want)
{
    if (load(text)) fail_msg("%s", sb_error_message());
    assert_string_equal(seen, want);
}

static void refused(const char *text, const char *why)
{
    assert_int_equal(load(text), -1);
    if (!strstr(sb_error_message(), why)) fail_msg("'%s' does not say '%s'", sb_error_message(), why);
}

static void finds_columns_wherever_they_stand(void **state)
{
    (void)state;
    gives("name,depth\nfish,12.5\n", "fish 1 12.5 0 -1 -1;");
    gives("\xef\xbb\xbf"
          "Sure;Depth (Meters);x;TITLE\r\nyes;12,5;;fish\r\nno;;;\"a;b\"\r\n",
          "fish 1 12.5 0 -1 1;a;b 0 -1 0 -1 0;");
    gives("title,name,depth,count\nb,a,NaN,7\nb,a\n",
          "a 0 -1 1 7 -1;a 0 -1 0 -1 -1;"); /* the first alias; a short row */
}

static void says_what_is_wrong(void **state)
{
    (void)state;
    refused("a,b\n1,2\n", "it has no columns called name, depth");
    refused("name,b\n1,2\n", "it has no column called depth");
    refused("", "it is empty");
    refused("name,name,depth\n", "two of its columns are called 'name'");
    refused("name,depth\na,1\nb,deep\n", "line 3: column 'depth': 'deep' is no number");
    refused("name,depth\n\xe9,1\n", "line 2: it is not UTF-8");
    refused("name,depth\na,1e999\n", "is no number");
    refused("name,depth,count\na,1,1.5\n", "column 'count': '1.5' is no whole number");
    refused("name,depth,sure\na,1,perhaps\n", "is no yes or no");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_columns_wherever_they_stand),
        cmocka_unit_test(says_what_is_wrong),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    free(seen);
    return rc;
}
