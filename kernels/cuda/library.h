/* A shared library that is opened by name when it is first needed, and the functions that are called in it: programs
 * that never multiply a matrix on a GPU don't wait for CUDA's libraries to load, and need not have them.
 *
 *     #define EACH(X) X(cudnnCreate) X(cudnnDestroy)
 *     struct calls { EACH(SB_LIBRARY_POINTER) };
 *     static const char *const names[] = {EACH(SB_LIBRARY_NAME) NULL};
 *
 *     struct calls call;
 *     if (sb_library_open(files, names, &call)) call.cudnnCreate(&handle); */
#ifndef SB_KERNELS_CUDA_LIBRARY_H
#define SB_KERNELS_CUDA_LIBRARY_H

#include <stdbool.h>

#define SB_LIBRARY_POINTER(function) __typeof__(function) *function;
#define SB_LIBRARY_NAME(function) #function,

/* Opens the first of `files` (names, as the loader finds them, then in $CUDA_HOME/lib64 or /usr/local/cuda/lib64) that
 * is there and has all of `functions`, whose addresses go to `calls`, a struct of as many function pointers in the same
 * order. Both lists end with NULL. The library stays open. */
bool sb_library_open(const char *const *files, const char *const *functions, void *calls);

#endif
