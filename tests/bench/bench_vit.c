/* A ViT's or ResNet's bare rate: bench_vit NAME SIZE BATCH f32|bf16 infer|train [SECONDS [DEVICE]], with NAME as in
 * vit.h. Prints pictures a second (the best call), seconds to the first result, the largest resident set, and pictures
 * a second over all calls but the first. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/err.h"
#include "base/progress.h"
#include "vit.h"

int main(int argc, char **argv)
{
    sb_program = "bench_vit";
    if (argc <= BENCH_VIT_ARGUMENTS)
        sb_die("wanted: bench_vit NAME SIZE BATCH f32|bf16 infer|train [SECONDS [DEVICE]]");
    double began = sb_seconds(), seconds = argc > 6 ? atof(argv[6]) : 4, best = 1e9;
    struct bench_vit v;
    struct rusage used;
    bench_vit_model(&v, argc > 7 ? argv[7] : NULL, argv + 1);
    bench_vit_net(&v, argv + 1);
    bench_vit_call(&v);
    double first = sb_seconds() - began, end = sb_seconds() + seconds;
    double sum = 0;
    int calls = 0;
    for (; calls < 3 || sb_seconds() < end; calls++) {
        double took = bench_vit_call(&v);
        sum += took;
        if (took < best) best = took;
    }
    getrusage(RUSAGE_SELF, &used);
    printf("%.2f pictures/s, first after %.2f s, %ld MB, all calls %.2f\n", v.batch.count / best, first,
           used.ru_maxrss / 1024, calls * v.batch.count / sum);
    return 0;
}
