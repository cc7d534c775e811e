#include "media/decoding.h"

void sb_decoding_options_apply(const struct sb_decoding_options *o, struct sb_decoding *how)
{
    static const char *const kinds[] = {"upright", "stored", NULL};
    *how = (struct sb_decoding){.bits = (int)o->bits, .over = o->background != NULL};
    if (o->orientation) how->stored = sb_opt_choose("orientation", o->orientation, kinds) == 1;
    if (o->background) sb_opt_colour("background", o->background, how->background);
}
