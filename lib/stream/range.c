#include "stream/range.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/opt.h"

/* A number at *at, which is moved behind it. */
static bool number(const char **at, uint64_t *v)
{
    char *end;
    if (!isdigit((unsigned char)**at)) return false;
    *v = strtoull(*at, &end, 10); /* what is too large becomes UINT64_MAX */
    *at = end;
    return true;
}

struct sb_range sb_range_parse(const char *text)
{
    struct sb_range p = {0, UINT64_MAX};
    const char *at = text;
    if (!text) return p;
    bool good = number(&at, &p.from);
    if (good && *at == ':') {
        at++;
        if (*at) good = number(&at, &p.to);
    } else {
        p = (struct sb_range){0, p.from};
    }
    if (!good || *at || p.to <= p.from) sb_usage("--records is N, A:B or A:, not '%s'", text);
    return p;
}
