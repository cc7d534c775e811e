#include "base/err.h"
#include "nn/net_inner.h"

struct sb_net_flight *sb_net_flight_begin(struct sb_net *n, const struct sb_batch *b, uint32_t kind)
{
    struct sb_net_flight *f = &n->flight[n->started % SB_NET_UNDER_WAY];
    if (f->under_way) sb_die("more than %d batches under way", SB_NET_UNDER_WAY);
    f->kind = kind;
    f->count = b->count;
    sb_net_upload(n, b, kind == SB_REPEAT_GRADIENT);
    return f;
}

void sb_net_flight_go(struct sb_net *n, void (*pass)(void *net), size_t bytes)
{
    struct sb_net_flight *f = &n->flight[n->started % SB_NET_UNDER_WAY];
    sb_net_repeat(n, f->kind, pass);
    n->run.ops->fetch(n->run.dev, (int)(n->started % SB_NET_UNDER_WAY), n->results, bytes);
    f->under_way = true;
    n->started++;
}

const void *sb_net_flight_end(struct sb_net *n, uint32_t kind, const struct sb_net_flight **f)
{
    struct sb_net_flight *oldest = &n->flight[n->finished % SB_NET_UNDER_WAY];
    if (!oldest->under_way || oldest->kind != kind) sb_die("the batch under way is not of this kind");
    const void *results = n->run.ops->fetched(n->run.dev, (int)(n->finished % SB_NET_UNDER_WAY));
    oldest->under_way = false;
    n->finished++;
    *f = oldest;
    return results;
}
