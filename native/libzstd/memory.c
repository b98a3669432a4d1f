/* The functions of <string.h> that libzstd's decoder and the compiler itself call. Those of Zig 0.15's compiler_rt,
 * compiled for size, copy byte by byte, and all incompressible data (literals, stored blocks) is copied here.
 *
 * Compiled with -fno-builtin: otherwise the compiler turns the loops into calls of the functions that contain them. */
#include "string.h"
#include <stdint.h>

#define WIDE 16
typedef struct { unsigned char bytes[WIDE]; } wide;

static inline wide load(const unsigned char *from)
{
    wide value;
    __builtin_memcpy_inline(&value, from, WIDE);
    return value;
}

static inline void store(unsigned char *to, wide value)
{
    __builtin_memcpy_inline(to, &value, WIDE);
}

/* All bytes are read before any is written, so the ranges may overlap. */
static inline void move_few(unsigned char *to, const unsigned char *from, size_t size)
{
    if (size >= 8) {
        uint64_t first, last;
        __builtin_memcpy_inline(&first, from, 8);
        __builtin_memcpy_inline(&last, from + size - 8, 8);
        __builtin_memcpy_inline(to, &first, 8);
        __builtin_memcpy_inline(to + size - 8, &last, 8);
    } else if (size >= 4) {
        uint32_t first, last;
        __builtin_memcpy_inline(&first, from, 4);
        __builtin_memcpy_inline(&last, from + size - 4, 4);
        __builtin_memcpy_inline(to, &first, 4);
        __builtin_memcpy_inline(to + size - 4, &last, 4);
    } else if (size > 0) {
        unsigned char first = from[0], middle = from[size / 2], last = from[size - 1];
        to[0] = first;
        to[size / 2] = middle;
        to[size - 1] = last;
    }
}

void *memmove(void *target, const void *source, size_t size)
{
    unsigned char *to = target;
    const unsigned char *from = source;
    if (size < WIDE) {
        move_few(to, from, size);
    } else if ((uintptr_t)to - (uintptr_t)from >= size) {
        /* The target does not begin within the source. */
        const wide last = load(from + size - WIDE);
        for (size_t i = 0; i < size - WIDE; i += WIDE) store(to + i, load(from + i));
        store(to + size - WIDE, last);
    } else {
        const wide first = load(from);
        for (size_t i = size; i > WIDE; i -= WIDE) store(to + i - WIDE, load(from + i - WIDE));
        store(to, first);
    }
    return target;
}

void *memcpy(void *restrict target, const void *restrict source, size_t size)
{
    return memmove(target, source, size);
}

void *memset(void *target, int byte, size_t size)
{
    unsigned char *to = target;
    wide value;
    for (int i = 0; i < WIDE; i++) value.bytes[i] = (unsigned char)byte;
    if (size < WIDE) {
        for (size_t i = 0; i < size; i++) to[i] = (unsigned char)byte;
    } else {
        for (size_t i = 0; i < size - WIDE; i += WIDE) store(to + i, value);
        store(to + size - WIDE, value);
    }
    return target;
}
