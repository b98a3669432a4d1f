/* The part of <stdlib.h> that libzstd's decoder uses. The decoder works in memory of its caller and must never
 * allocate, so these functions return no memory. */
#pragma once
#include <stddef.h>

static inline void *malloc(size_t size) { (void)size; return 0; }
static inline void *calloc(size_t count, size_t size) { (void)count; (void)size; return 0; }
static inline void free(void *memory) { (void)memory; }
