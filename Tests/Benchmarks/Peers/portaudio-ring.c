// PortAudio's ring of elements, as a module. It is in its static library; no header of it is installed, so that what is
// used is declared here.
#include "ring.h"

#include <stdlib.h>

typedef long position;
typedef struct PaUtilRingBuffer PaUtilRingBuffer;
position PaUtil_InitializeRingBuffer(PaUtilRingBuffer *, position elementSize, position elementCount, void *memory);
position PaUtil_GetRingBufferReadAvailable(const PaUtilRingBuffer *);
position PaUtil_WriteRingBuffer(PaUtilRingBuffer *, const void *elements, position count);
position PaUtil_ReadRingBuffer(PaUtilRingBuffer *, void *elements, position count);
position PaUtil_GetRingBufferReadRegions(
    PaUtilRingBuffer *, position count, void **first, position *firstCount, void **second, position *secondCount);
position PaUtil_AdvanceRingBufferReadIndex(PaUtilRingBuffer *, position count);

// More than the structure has, before the memory of the elements.
enum { structureBytes = 256 };

inlined void *create(size_t slots, size_t bytes) {
    // It wants a power of two.
    size_t count = 1;
    while (count < slots) count *= 2;
    char *memory = aligned_alloc(64, structureBytes + count * bytes);
    position refused = PaUtil_InitializeRingBuffer((PaUtilRingBuffer *)memory, bytes, count, memory + structureBytes);
    if (refused == 0) return memory;
    free(memory);
    return NULL;
}

inlined void destroy(void *ring, size_t bytes) { (void)bytes, free(ring); }

inlined int put(void *ring, const uint64_t *chunk, size_t bytes) {
    (void)bytes;
    return PaUtil_WriteRingBuffer(ring, chunk, 1) == 1;
}

inlined int take(void *ring, uint64_t *chunk, size_t bytes) {
    (void)bytes;
    return PaUtil_ReadRingBuffer(ring, chunk, 1) == 1;
}

// Adds up at most `most` chunks; answers how many.
inlined size_t sum(void *ring, uint64_t *sum, position most, size_t bytes) {
    void *first, *second;
    position firstCount, secondCount;
    position there = PaUtil_GetRingBufferReadRegions(ring, most, &first, &firstCount, &second, &secondCount);
    if (there == 0) return 0;
    *sum += ring_sum(first, firstCount * bytes);
    if (secondCount > 0) *sum += ring_sum(second, secondCount * bytes);
    PaUtil_AdvanceRingBufferReadIndex(ring, there);
    return there;
}

inlined int sum_one(void *ring, uint64_t *total, size_t bytes) { return sum(ring, total, 1, bytes) == 1; }

inlined size_t sum_all(void *ring, uint64_t *total, size_t bytes) {
    return sum(ring, total, PaUtil_GetRingBufferReadAvailable(ring), bytes);
}

#include "ring-loops.h"
