/* A ViT or ResNet to be timed: bench_vit and bench_shares. */
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

/* The arguments NAME SIZE BATCH f32|bf16 infer|train: NAME is Ti, S, B, L or H with patches of 16, resnet18 and so
 * on, or a file of weights. */
#define BENCH_VIT_ARGUMENTS 5
/* b.ops may be replaced between the two. */
void bench_vit_model(struct bench_vit *v, char **argument);
void bench_vit_net(struct bench_vit *v, char **argument);
/* Seconds that a batch takes, started before the one before is finished as programs do; the first, and one of a single
 * picture, until its own results are there. */
double bench_vit_call(struct bench_vit *v);

#endif
