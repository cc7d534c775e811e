/* Kernels with planted faults, each beside its right version, for the test of the stand-in itself. */
#ifndef SB_TESTS_CUSIM_FAULTS_H
#define SB_TESTS_CUSIM_FAULTS_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FAULT_OUT 256

struct fault {
    const char *name;
    /* Runs it on a device of its own; out: what it computed, `expected` what it should have. */
    void (*run)(bool wrong, float *out, float *expected);
    /* Of the line that ends the program; NULL: it goes on, and its results are wrong or hang on the order. */
    const char *says;
};

extern const struct fault faults[];
extern const int fault_count;

#ifdef __cplusplus
}
#endif
#endif
