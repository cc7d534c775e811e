/* A condition as where_parse.c writes it and where.c runs it: steps that are taken in order and set one truth. "a and
 * b" is a, SKIP_UNLESS to behind b, b; so nothing is nested, and what does not matter is not looked at. */
#ifndef SB_SELECT_WHERE_INNER_H
#define SB_SELECT_WHERE_INNER_H

#include <regex.h>

#include "formats/cell.h"
#include "select/where.h"

enum sb_where_kind {
    SB_WHERE_COMPARE,
    SB_WHERE_MATCH,
    SB_WHERE_HAS,
    SB_WHERE_NOT,
    SB_WHERE_SKIP_IF,
    SB_WHERE_SKIP_UNLESS
};
enum { SB_WHERE_LESS = 1, SB_WHERE_EQUAL = 2, SB_WHERE_MORE = 4 }; /* what fits a comparison */

struct sb_where_step {
    enum sb_where_kind kind;
    unsigned fits; /* SB_WHERE_COMPARE */
    char *field;
    char *text; /* the value */
    size_t size;
    bool is_number; /* the value is one: */
    double number;
    regex_t *regex;
    size_t to; /* SKIP: the step that comes next */
};

struct sb_where {
    struct sb_where_step *step;
    size_t count, cap;
    struct sb_cell cell; /* where values become text */
};

#endif
