/* A growing run of bytes, also as msgpack-c's output: msgpack_packer_init(&pk, &buffer, sb_buffer_write). Never fails:
 * out of memory ends the program, where msgpack_sbuffer would drop bytes. The owner frees data with free(). */
#ifndef SB_BASE_BUFFER_H
#define SB_BASE_BUFFER_H

#include <stddef.h>
#include <stdint.h>

struct sb_buffer {
    uint8_t *data;
    size_t size, cap;
};

void sb_buffer_add(struct sb_buffer *b, const void *bytes, size_t size);
int sb_buffer_write(void *buffer, const char *bytes, size_t size); /* returns 0 */

#endif
