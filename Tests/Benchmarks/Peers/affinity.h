// Which processors a thread runs on: the C library's functions for it are not seen from Swift.
#pragma once
#include <sys/syscall.h>
#include <unistd.h>

enum { affinity_words = 16, affinity_bits = 8 * sizeof(unsigned long) };

// The processor that this thread may run on and that has `index` such before it; -1 where there are fewer.
static inline int affinity_allowed(int index) {
    unsigned long mask[affinity_words] = {0};
    if (syscall(SYS_sched_getaffinity, 0, sizeof mask, mask) <= 0) return -1;
    for (int processor = 0; processor < affinity_words * (int)affinity_bits; processor++) {
        if (mask[processor / affinity_bits] >> processor % affinity_bits & 1 && index-- == 0) return processor;
    }
    return -1;
}

// Binds this thread to a processor; 0 where it could not.
static inline int affinity_bind(int processor) {
    unsigned long mask[affinity_words] = {0};
    mask[processor / affinity_bits] = 1UL << processor % affinity_bits;
    return syscall(SYS_sched_setaffinity, 0, sizeof mask, mask) == 0;
}
