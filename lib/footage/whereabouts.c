#include "footage/whereabouts.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/err.h"

int sb_whereabouts_begin(struct sb_whereabouts *w, const struct sb_taken *taken, const struct sb_inputs *inputs,
                         bool go_on)
{
    w->inputs = inputs;
    if (!sb_taken_known(taken)) return 0;
    w->began = sb_calloc(inputs->count, sizeof *w->began);
    for (size_t i = 0; i < inputs->count; i++) {
        if (sb_taken_at(taken, &inputs->item[i], &w->began[i]) == 0) continue;
        if (!go_on) return -1;
        sb_warn("%s", sb_error_message());
        w->began[i] = NAN;
    }
    return 0;
}

void sb_whereabouts_set(struct sb_whereabouts *w, const struct sb_input *input, struct sb_record *rec)
{
    double pts = 0; /* of a picture */
    if (!w->began) return;
    double time = w->began[input - w->inputs->item];
    if (isnan(time) || sb_get_real(rec, "pts", &pts) < 0) return;
    time += pts;
    sb_set_real(rec, "time", time);
    w->first = w->timed ? fmin(w->first, time) : time;
    w->last = w->timed ? fmax(w->last, time) : time;
    w->timed++;
    if (w->nav && !sb_nav_place(w->nav, w->gap, rec)) w->unplaced++;
}

void sb_whereabouts_report(const struct sb_whereabouts *w)
{
    const struct sb_nav *nav = w->nav;
    char text[4][SB_CLOCK_TEXT];
    double from, to;
    if (!nav) return;
    if (nav->bad)
        sb_warn("%s: %" PRIu64 " of %" PRIu64 " rows left out; the first, %s", w->nav_name, nav->bad, nav->rows,
                nav->why);
    if (nav->clashes)
        sb_warn("%s: %" PRIu64 " times come again with another place: the first row counts", w->nav_name, nav->clashes);
    if (!w->unplaced) return;
    sb_nav_span(nav, &from, &to);
    if (w->unplaced < w->timed)
        sb_warn("%s: no place for %" PRIu64 " of %" PRIu64 " records", w->nav_name, w->unplaced, w->timed);
    else
        sb_warn("%s: no place for any record: it goes from %s to %s, they from %s to %s", w->nav_name,
                sb_clock_text(from, 0, text[0]), sb_clock_text(to, 0, text[1]), sb_clock_text(w->first, 0, text[2]),
                sb_clock_text(w->last, 0, text[3]));
}

void sb_whereabouts_free(struct sb_whereabouts *w)
{
    free(w->began);
    *w = (struct sb_whereabouts){0};
}
