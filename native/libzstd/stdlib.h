/* All of <stdlib.h> that libzstd's decoder uses. It works in memory that it is given, so the allocator behind it
 * must never be reached: it has no memory to give. */
#pragma once
#include <stddef.h>

static inline void *malloc(size_t size) { (void)size; return 0; }
static inline void *calloc(size_t count, size_t size) { (void)count; (void)size; return 0; }
static inline void free(void *memory) { (void)memory; }
