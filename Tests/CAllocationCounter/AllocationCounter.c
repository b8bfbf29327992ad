#include "CAllocationCounter.h"

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif

static _Atomic pid_t watched;
static atomic_long allocations;
static atomic_long frees;

void allocationCounterStart(pid_t thread) {
    atomic_store(&allocations, 0);
    atomic_store(&frees, 0);
    atomic_store(&watched, thread);
}

void allocationCounterStop(void) { atomic_store(&watched, 0); }

long allocationCounterCount(void) { return atomic_load(&allocations); }

long allocationCounterFreeCount(void) { return atomic_load(&frees); }

#ifdef SANITIZED

bool allocationCounterIsActive(void) { return false; }

#else

bool allocationCounterIsActive(void) { return true; }

// Under these names the C library's own functions remain reachable.
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static void count(atomic_long *counter) {
    // The kernel is asked each time, while somebody is watched: a thread-local would need memory of its own.
    pid_t thread = atomic_load_explicit(&watched, memory_order_relaxed);
    if (thread == 0) return;
    int error = errno;
    if (thread == (pid_t)syscall(SYS_gettid)) atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
    errno = error;
}

void *malloc(size_t size) {
    count(&allocations);
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    count(&allocations);
    return __libc_calloc(number, size);
}

void *realloc(void *old, size_t size) {
    count(&allocations);
    return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
    count(&allocations);
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    count(&allocations);
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **place, size_t alignment, size_t size) {
    if (alignment % sizeof(void *) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0) return EINVAL;
    count(&allocations);
    void *memory = __libc_memalign(alignment, size);
    if (memory == NULL) return ENOMEM;
    *place = memory;
    return 0;
}

void free(void *old) {
    if (old != NULL) count(&frees);
    __libc_free(old);
}

#endif
