/* What the parts of a net share: net.c opens, net_memory.c plans and takes memory, net_input.c uploads, net_flight.c knows what is under way,
 * net_infer.c and net_train.c compute, net_step.c holds what training changes: the optimiser, the weight average, the
 * state. */
#ifndef SB_NN_NET_INNER_H
#define SB_NN_NET_INNER_H

#include "nn/backbone.h"
#include "nn/gpt2.h"
#include "nn/net.h"

/* The pictures of the batch that was started last, as they lie on the device. */
struct sb_net_input {
    int64_t count, height, width;
    enum sb_dtype dtype;
    bool matrix, colour, mix;
    bool soft; /* the targets are f32 [count, classes] */
};

/* A batch that was started, until its results are taken. */
struct sb_net_flight {
    bool under_way;
    uint32_t kind; /* which SB_REPEAT_... */
    int64_t count; /* pictures */
    int64_t rows;  /* that have a loss; valid of them a target */
    int64_t valid;
    double weight;   /* that the training loss is a mean over */
    bool labelled;   /* by what stands in target */
    int32_t *target; /* host [rows] */
};

struct sb_net {
    struct sb_model *model;
    struct sb_net_options options;
    struct sb_run run;
    struct sb_backbone backbone;
    struct sb_gpt2 gpt2; /* where the model has a decoder */
    struct sb_net_input input;
    struct sb_cache cache; /* its layers lie on the stack during a caption call */

    float *master, *moment1, *moment2; /* device [total]; moments in training only */
    float *average;                    /* device [total] or NULL */
    bool averaged;                     /* ops read the average, not master */
    bool direct;                       /* inference in host memory: master is the model's own */
    void *copy;                        /* device bf16 [total], or NULL */
    struct sb_segment *segment;        /* host */
    int64_t segments;

    /* small device buffers that calls write to */
    uint32_t *chance; /* [4] */
    struct sb_adamw_step *adamw;
    float *one, *norm2;     /* [1] each; gradients are sums, so that losses are scaled by 1 */
    float *mean_std;        /* [2,3] */
    float *class_weight;    /* [classes] or NULL */
    float *matrix, *colour; /* [batch,6], [batch,2] */
    int32_t *partner, *box; /* [batch], [batch,4]: op mix; training only */
    float *mix_weight;      /* [batch] */
    int32_t *target, *ids;  /* [batch] or [batch,length-1] */
    float *soft;            /* [batch,classes]: targets that are no single label */
    int32_t *decoded;       /* [2]: tokens in the cache, position of the word */
    int32_t *token;         /* [batch]: the word told last, which is the next one's input */
    char *results; /* of the pass; not on the stack, so that a replayed pass leaves them where they are fetched */
    /* In turn: one is filled while the pass before reads the other. They grow with the pictures that come. */
    void *pictures[SB_NET_UNDER_WAY];
    size_t pictures_size; /* of each */
    uint32_t turn;        /* whose pictures input tells of */
    struct sb_net_flight flight[SB_NET_UNDER_WAY];
    uint32_t started, finished; /* flights; two threads may count, one each */

    void **held; /* all device memory but pictures */
    size_t nheld, bytes;
    bool counts; /* memory is counted, not taken */
    uint64_t steps;
    uint32_t samples; /* accumulated since the last step */
    double weight;    /* that their losses are a mean over */
    int32_t *host_ids;
    size_t rows; /* most rows that have a loss: batch, or batch * (length - 1) */
};

/* Plans, and takes the memory. -1 with a message where there is too little, which names the batch that would fit. */
int sb_net_take_memory(struct sb_net *n);

/* Uploads pictures (and what warps them; what mixes them, in training alone); dies if they are not what the model
 * takes. */
void sb_net_upload(struct sb_net *n, const struct sb_batch *b, bool train);
/* Uploads targets and notes in the flight what they are. */
void sb_net_upload_targets(struct sb_net *n, const struct sb_batch *b, struct sb_net_flight *f);
/* The uploaded pictures as the model's input, act [count,3,S,S]. */
struct sb_tensor sb_net_pictures(struct sb_net *n);

int64_t sb_net_rows(const struct sb_net *n); /* that have a loss: pictures, or the words of captions */

/* A batch's flight: begin uploads its pictures, go queues the pass and the fetching of so many bytes of n->results, and
 * end waits for the oldest that is under way, which must be of this kind: *f is that flight, the results are returned.
 * They are valid until the next but one is under way. */
struct sb_net_flight *sb_net_flight_begin(struct sb_net *n, const struct sb_batch *b, uint32_t kind);
void sb_net_flight_go(struct sb_net *n, void (*pass)(void *net), size_t bytes);
const void *sb_net_flight_end(struct sb_net *n, uint32_t kind, const struct sb_net_flight **f);
/* Bytes of the results of a full batch, whose parts begin 64-byte aligned. */
size_t sb_net_told_bytes(const struct sb_net *n); /* of a classification */
static inline size_t sb_net_part(size_t bytes) { return (bytes + 63) / 64 * 64; }
enum { SB_SLOT_WORDS = SB_NET_UNDER_WAY }; /* of fetch; those below it belong to flights */

/* Calls fn(n), or lets the device replay it: `kind` and the input's form tell repeats apart. */
void sb_net_repeat(struct sb_net *n, uint32_t kind, void (*fn)(void *net));
enum { SB_REPEAT_CLASSIFY, SB_REPEAT_PREFIX, SB_REPEAT_WORD, SB_REPEAT_EVALUATE, SB_REPEAT_GRADIENT, SB_REPEAT_UPDATE };

/* Device work of each kind of call, over what was uploaded; also what planning runs. */
void sb_net_classify_pass(void *net);
void sb_net_caption_begin(struct sb_net *n); /* takes the caches */
void sb_net_prefix_pass(void *net);
void sb_net_word_pass(void *net);
void sb_net_evaluate_pass(void *net);
void sb_net_gradient_pass(void *net);
void sb_net_update_pass(void *net);
/* The weights that ops read, refilled from master or the average: the bf16 copy and the packed forms. */
void sb_net_refresh(struct sb_net *n);
void sb_net_pack(struct sb_net *n, int layer); /* the packed forms alone, of this layer and those above */
bool sb_net_trains(const struct sb_net *n, const struct sb_param *p);

#endif
