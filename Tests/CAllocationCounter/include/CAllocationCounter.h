// Counts what one thread allocates: this program's malloc and its family stand before the C library's.
#ifndef VOICEAUDIO_ALLOCATION_COUNTER_H
#define VOICEAUDIO_ALLOCATION_COUNTER_H

#include <stdbool.h>
#include <sys/types.h>

/// Whether allocations are counted here; not under a sanitizer, which brings its own malloc.
bool allocationCounterIsActive(void);

/// Starts counting at 0 what the thread with this id, as gettid(2) tells it, allocates and frees. One thread at a time.
void allocationCounterStart(pid_t thread);

/// Stops counting.
void allocationCounterStop(void);

/// Allocations (a realloc is one) of the thread since the start.
long allocationCounterCount(void);

/// Frees of the thread since the start.
long allocationCounterFreeCount(void);

#endif
