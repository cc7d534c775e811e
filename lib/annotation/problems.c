#include "annotation/problems.h"

#include <string.h>

#include "base/err.h"
#include "base/output.h"
#include "formats/csv.h"

void sb_problems_open(struct sb_problems *p, const char *path)
{
    if (!path) return;
    sb_output_sweep(path);
    p->table = sb_output_stdio(path);
    fputs("what,picture,said\r\n", p->table);
}

static uint64_t *count_of(struct sb_problems *p, const char *what)
{
    size_t i = 0;
    while (i + 1 < SB_PROBLEM_KINDS && p->kind[i].what && strcmp(p->kind[i].what, what)) i++;
    p->kind[i].what = what;
    return &p->kind[i].count;
}

void sb_problems_add(struct sb_problems *p, const char *what, const char *picture, const char *fmt, ...)
{
    char said[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(said, sizeof said, fmt, ap);
    va_end(ap);
    if (++*count_of(p, what) <= SB_PROBLEMS_SAID) sb_warn("%s: %s%s%s", what, picture, *said ? ": " : "", said);
    if (!p->table) return;
    sb_csv_text(p->table, what, strlen(what));
    putc(',', p->table);
    sb_csv_text(p->table, picture, strlen(picture));
    putc(',', p->table);
    sb_csv_text(p->table, said, strlen(said));
    fputs("\r\n", p->table);
}

void sb_problems_close(struct sb_problems *p)
{
    for (size_t i = 0; i < SB_PROBLEM_KINDS; i++) {
        uint64_t more = p->kind[i].count > SB_PROBLEMS_SAID ? p->kind[i].count - SB_PROBLEMS_SAID : 0;
        if (more)
            sb_warn("%s: %llu more%s", p->kind[i].what, (unsigned long long)more,
                    p->table ? "" : "; --problems FILE lists them");
    }
    if (p->table) fclose(p->table);
    p->table = NULL;
}
