/* A growing run of bytes, also as msgpack-c's output: msgpack_packer_init(&pk, &buffer, sb_buffer_write). Never fails:
 * out of memory ends the program, where msgpack_sbuffer would drop bytes. The owner frees data with free(). */
#ifndef SB_BASE_BUFFER_H
#define SB_BASE_BUFFER_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct sb_buffer {
    uint8_t *data;
    size_t size, cap;
};

void sb_buffer_add(struct sb_buffer *b, const void *bytes, size_t size);
int sb_buffer_write(void *buffer, const char *bytes, size_t size); /* returns 0 */

/* The buffer as a stdio stream; what is printed is there after fflush() or fclose(). open_memstream() would drop bytes
 * in silence when memory runs out. The buffer must stay where it is until fclose(), which leaves it to its owner. */
FILE *sb_buffer_stdio(struct sb_buffer *b);

#endif
