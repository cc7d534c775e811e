/* A ViT or ResNet to be timed: bench_vit, bench_shares, bench_turns. */
#ifndef SB_BENCH_VIT_H
#define SB_BENCH_VIT_H

#include "nn/net.h"

struct bench_vit {
    struct sb_backend backend;
    struct sb_model model;
    struct sb_net *net;
    struct sb_batch batch; /* invented pictures and labels */
    bool train;
    int under_way; /* batches */
    float *probability;
};

/* The arguments NAME SIZE BATCH f32|bf16 infer|train: NAME is Ti, S, B, L or H with patches of 16 (or as in H/14 and
 * dim=192,depth=6,heads=3,patch=8), resnet18 and so on, or a file of weights. */
#define BENCH_VIT_ARGUMENTS 5
void bench_model(struct sb_model *m, const char *name, int size); /* random weights, or the file's */
/* device as programs' --device, NULL: cpu. backend.ops may be replaced between the two. */
void bench_vit_model(struct bench_vit *v, const char *device, char **argument);
void bench_vit_net(struct bench_vit *v, char **argument);
/* Seconds that a batch takes, started before the one before is finished as programs do; the first, and one of a single
 * picture, until its own results are there. */
double bench_vit_call(struct bench_vit *v);
/* Seconds that so many calls take, until the last one's results are there and nothing is under way. */
double bench_vit_calls(struct bench_vit *v, int calls);
void bench_vit_free(struct bench_vit *v); /* all but the backend */

#endif
