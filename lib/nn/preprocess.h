/* How pictures become a model's input; it travels with a model in its __metadata__ and with a stream in its header. */
#ifndef SB_NN_PREPROCESS_H
#define SB_NN_PREPROCESS_H

#include <stdbool.h>

struct sb_record;
struct sb_weights;

struct sb_preprocess {
    int size;      /* pixels, square */
    double crop;   /* part of the resized picture that the centre crop keeps; 1: all of the short side */
    bool stretch;  /* resize to size x size whatever the shape; else short side and centre crop */
    bool bilinear; /* else bicubic */
    bool bgr;
    float mean[3], std[3]; /* of values in 0..1 */
};

void sb_preprocess_default(struct sb_preprocess *p, int size); /* crop 1, bicubic, RGB, mean and std 0.5 */
/* -1 with a message if the file does not say. */
int sb_preprocess_from_model(struct sb_preprocess *p, const char *path);
int sb_preprocess_from_weights(struct sb_preprocess *p, const struct sb_weights *w, const char *path);
char *sb_preprocess_json(const struct sb_preprocess *p); /* for __metadata__; the caller frees */
/* The header's `tensor` field of a tensorized stream. applied: mean and std are already applied (f32). */
void sb_preprocess_to_header(const struct sb_preprocess *p, bool applied, struct sb_record *header);
int sb_preprocess_from_header(struct sb_preprocess *p, bool *applied, struct sb_record *header); /* 1, 0 absent, -1 */
/* NULL if equal, else which key differs, as "size 224, the model wants 384" (static buffer per thread). */
const char *sb_preprocess_differs(const struct sb_preprocess *stream, const struct sb_preprocess *model);

#endif
