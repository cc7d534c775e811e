/* Maps of label names: headers, separators, removals, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "folder.h"
#include "formats/label_map.h"

static char path[64];

static int read_text(const char *text, struct sb_label_map *map)
{
    snprintf(path, sizeof path, "%s/map", folder);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    return sb_label_map_read(path, map);
}

static void becomes(struct sb_label_map *map, const char *from, const char *to, int64_t aphia_id)
{
    const struct sb_label_target *t = sb_label_map_find(map, from, strlen(from));
    assert_non_null(t);
    assert_string_equal(t->name, to);
    assert_int_equal(t->aphia_id, aphia_id);
}

static void maps(void **state)
{
    (void)state;
    static const char *const same[] = {
        "crab\tPaguridae\t106738\neel\t\nfish, small\tPisces\n",
        "old\tnew\taphia_id\ncrab\tPaguridae\t106738\neel\t\nfish, small\tPisces\t\n",
        "\xef\xbb\xbf"
        "From,To,AphiaID,why\r\ncrab,Paguridae,urn:lsid:marinespecies.org:taxname:106738,x\r\neel,,\r\n\"fish, "
        "small\",Pisces",
        "Label;name;aphia_id\ncrab;Paguridae;106738\ncrab;Paguridae;106738\n\neel;;\nfish, small;Pisces",
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        struct sb_label_map map;
        assert_int_equal(read_text(same[i], &map), 0);
        becomes(&map, "crab", "Paguridae", 106738);
        becomes(&map, "eel", "", 0);
        becomes(&map, "fish, small", "Pisces", 0);
        assert_null(sb_label_map_find(&map, "Paguridae", 9));
        assert_null(sb_label_map_find(&map, "cra", 3));
        assert_null(sb_label_map_find(&map, "cra", 3));
        assert_null(sb_label_map_find(&map, "", 0));
        assert_int_equal(map.unmapped.count, 2);
        assert_int_equal(map.times[0] + 10 * map.times[1], 21);
        sb_label_map_free(&map);
    }
}

static void headers(void **state)
{
    (void)state;
    struct sb_label_map map;
    /* A third column of another name is none; "old" alone is a name like others. */
    assert_int_equal(read_text("label,name,note\ncrab,Paguridae,seen twice\n", &map), 0);
    becomes(&map, "crab", "Paguridae", 0);
    sb_label_map_free(&map);
    assert_int_equal(read_text("old,ancient\nnew,recent\n", &map), 0);
    becomes(&map, "old", "ancient", 0);
    assert_int_equal(map.from.count, 2);
    sb_label_map_free(&map);
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } bad[] = {
        {"crab\n", "line 1: one cell"},
        {"a,b\n,c\n", "line 2: it has no old name"},
        {"a,b\nc,d\na,e\n", "line 3: 'a' becomes 'e', and 'b' above"},
        {"a,b,5\na,b,6\n", "line 2: 'a' has another AphiaID"},
        {"a,b,five\n", "line 1: 'five' is no AphiaID"},
        {"a,b\ncaf\xe9,c\n", "line 2: "},
        {"a,b,0\n", "line 1: '0' is no AphiaID"},
        {"a,b,-5\n", "no AphiaID"},
        {"a,b,99999999999999999999\n", "no AphiaID"},
        {"old,new\n", "it maps no name"},
        {"", "it maps no name"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct sb_label_map map;
        assert_int_equal(read_text(bad[i].text, &map), -1);
        if (!strstr(sb_error_message(), bad[i].why)) fail_msg("%s: said %s", bad[i].text, sb_error_message());
        assert_non_null(strstr(sb_error_message(), path));
        sb_label_map_free(&map);
    }
    struct sb_label_map map;
    assert_int_equal(sb_label_map_read("/no/such/map", &map), -1);
    sb_label_map_free(&map);
}

/* Whatever a stream holds, memory is bounded and the count goes on. */
static void many_unmapped(void **state)
{
    (void)state;
    struct sb_label_map map;
    char name[16];
    assert_int_equal(read_text("a,b\n", &map), 0);
    for (int i = 0; i < 10000; i++) {
        snprintf(name, sizeof name, "n%d", i);
        assert_null(sb_label_map_find(&map, name, strlen(name)));
    }
    assert_true(map.unmapped.count < 10000);
    assert_int_equal(map.unmapped.count + map.others, 10000);
    sb_label_map_free(&map);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps),
        cmocka_unit_test(headers),
        cmocka_unit_test(refused),
        cmocka_unit_test(many_unmapped),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
