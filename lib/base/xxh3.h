/* xxHash, which on x86-64 takes the widest vectors that the processor has: twice as fast for a large record. */
#ifndef SB_BASE_XXH3_H
#define SB_BASE_XXH3_H

#include <xxhash.h>
#if defined(__x86_64__) && __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h>
#endif

#endif
