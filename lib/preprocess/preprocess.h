/* How pictures become a model's input; it travels with a model in its __metadata__ and with a stream in its header, and
 * stands beside other people's models in a JSON file. */
#ifndef SB_PREPROCESS_PREPROCESS_H
#define SB_PREPROCESS_PREPROCESS_H

#include <stdbool.h>
#include <stdint.h>

struct sb_record;
struct sb_weights;

enum sb_preprocess_fit {
    SB_PREPROCESS_SHORT,    /* the short side is resized, the long one in proportion */
    SB_PREPROCESS_STRETCH,  /* to a square whatever the shape */
    SB_PREPROCESS_LETTERBOX /* the long side is resized, the short one in proportion and padded to a square */
};

struct sb_preprocess {
    int size;      /* pixels, square */
    double crop;   /* part of the resized picture that the centre crop keeps; 1: all of the short side */
    uint8_t fit;   /* enum sb_preprocess_fit */
    bool bilinear; /* else bicubic */
    bool bgr;
    bool down;      /* where the middle lies between two pixels: the first; else the even one, as Python rounds */
    bool padded;    /* pad is given; else it is the mean */
    uint8_t pad[3]; /* what a letterbox is padded with */
    float mean[3], std[3]; /* of values in 0..1 */
};

void sb_preprocess_default(struct sb_preprocess *p, int size); /* crop 1, bicubic, RGB, mean and std 0.5 */
/* What a letterbox is padded with, by the channel's place: what is given, or the nearest to the mean, as timm has it.
 */
void sb_preprocess_pad(const struct sb_preprocess *p, uint8_t pad[3]);

/* What a model's file says: its __metadata__, else timm's config.json beside it, else transformers'
 * preprocessor_config.json. 1 found; 0 there is none of them; -1 with a message if it says what can't be done here, or
 * not enough. Nothing is guessed, but what timm and transformers define where a key is absent. */
int sb_preprocess_find(struct sb_preprocess *p, const struct sb_weights *w, const char *path);
/* Of the file's __metadata__ alone; -1 with a message if it does not say. */
int sb_preprocess_from_weights(struct sb_preprocess *p, const struct sb_weights *w, const char *path);
char *sb_preprocess_json(const struct sb_preprocess *p); /* for __metadata__; the caller frees */

/* The header's `tensor` field of a tensorized stream. applied: mean and std are already applied (f32). */
void sb_preprocess_to_header(const struct sb_preprocess *p, bool applied, struct sb_record *header);
int sb_preprocess_from_header(struct sb_preprocess *p, bool *applied, struct sb_record *header); /* 1, 0 absent, -1 */

/* NULL if equal, else which key differs, as "size 224, the model wants 384", where `wants` is "the model wants" (static
 * buffer per thread). */
const char *sb_preprocess_differs(const struct sb_preprocess *stream, const struct sb_preprocess *model,
                                  const char *wants);

#endif
