// What the rings of others are measured through, and what all contestants share: waiting, adding up, the clock.
// Each peer's loops are in its module, in its own language; the library's are in Swift.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#ifdef __cplusplus
#define RING_EXPORTED extern "C"
#else
#define RING_EXPORTED
#endif
#define inlined static inline __attribute__((always_inline))

// A ring of `slots` chunks, all of one size. Chunks are given as words; the first is its number.
typedef struct ring_peer {
    void *(*create)(size_t slots);
    void (*destroy)(void *ring);
    // Copies `count` numbered chunks in, waiting while the ring is full.
    void (*produce)(void *ring, uint64_t *chunk, size_t count);
    // Copies `count` chunks out, waiting while the ring is empty. Answers the sum of their first and last words.
    uint64_t (*consume)(void *ring, uint64_t *chunk, size_t count);
    // Reads `count` chunks where they lie, each given back by itself. Answers the sum of all words.
    uint64_t (*consume_in_place)(void *ring, size_t count);
    // As that, but reads all that is there, then gives it back at once.
    uint64_t (*consume_all_in_place)(void *ring, size_t count);
    // Copies chunks in, and notes what each took; an attempt at a full ring does not count.
    void (*produce_timed)(void *ring, const uint64_t *chunk, uint32_t *ticks, size_t count);
    // Copies chunks out without a pause until `stop` is set.
    void (*hammer)(void *ring, uint64_t *chunk, const int *stop);
    // Copies out what is there.
    void (*empty)(void *ring, uint64_t *chunk);
} ring_peer;

// What a module exports: the functions for chunks of 320, 2048 or 16384 bytes.
RING_EXPORTED const ring_peer *ring_peer_of(size_t bytes);

inlined void ring_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}

inlined int ring_is_set(const int *flag) { return __atomic_load_n(flag, __ATOMIC_RELAXED); }
inlined void ring_set(int *flag, int value) { __atomic_store_n(flag, value, __ATOMIC_RELAXED); }

// Written out for vectors of 16 bytes, so that no compiler does it better than another.
inlined uint64_t ring_sum(const void *bytes, size_t count) {
    typedef uint64_t pair __attribute__((vector_size(16), aligned(8), may_alias));
    const pair *pairs = (const pair *)bytes;
    pair a = {0, 0}, b = a, c = a, d = a;
    for (size_t index = 0; index < count / 16; index += 4) {
        a += pairs[index], b += pairs[index + 1], c += pairs[index + 2], d += pairs[index + 3];
    }
    a += b + c + d;
    return a[0] + a[1];
}

// Ticks of a clock that goes evenly. What came before is done when it is read, and what comes after has not begun.
inlined uint64_t ring_ticks(void) {
#if defined(__x86_64__)
    __builtin_ia32_lfence();
    uint64_t ticks = __builtin_ia32_rdtsc();
    __builtin_ia32_lfence();
    return ticks;
#else
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
#endif
}
