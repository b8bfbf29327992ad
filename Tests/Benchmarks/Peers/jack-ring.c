// JACK's ring of bytes, as a module. It would take a part of a chunk where there is not room for all of it, so the room
// is asked for first.
#include "ring.h"

#include <jack/ringbuffer.h>

inlined void *create(size_t slots, size_t bytes) { return jack_ringbuffer_create(slots * bytes + 1); }

inlined void destroy(void *ring, size_t bytes) { (void)bytes, jack_ringbuffer_free(ring); }

inlined int put(void *ring, const uint64_t *chunk, size_t bytes) {
    if (jack_ringbuffer_write_space(ring) < bytes) return 0;
    jack_ringbuffer_write(ring, (const char *)chunk, bytes);
    return 1;
}

inlined int take(void *ring, uint64_t *chunk, size_t bytes) {
    if (jack_ringbuffer_read_space(ring) < bytes) return 0;
    jack_ringbuffer_read(ring, (char *)chunk, bytes);
    return 1;
}

// The parts are what lies at the end of the memory and at its front. A chunk is split at a multiple of 64 bytes.
inlined uint64_t sum_of(const jack_ringbuffer_data_t parts[2], size_t bytes) {
    size_t first = parts[0].len < bytes ? parts[0].len : bytes;
    uint64_t sum = ring_sum(parts[0].buf, first);
    return first < bytes ? sum + ring_sum(parts[1].buf, bytes - first) : sum;
}

inlined int sum_one(void *ring, uint64_t *sum, size_t bytes) {
    jack_ringbuffer_data_t parts[2];
    jack_ringbuffer_get_read_vector(ring, parts);
    if (parts[0].len + parts[1].len < bytes) return 0;
    *sum += sum_of(parts, bytes);
    jack_ringbuffer_read_advance(ring, bytes);
    return 1;
}

inlined size_t sum_all(void *ring, uint64_t *sum, size_t bytes) {
    jack_ringbuffer_data_t parts[2];
    jack_ringbuffer_get_read_vector(ring, parts);
    // Of a chunk that is split, the writer publishes the first part before the second.
    size_t there = (parts[0].len + parts[1].len) / bytes * bytes;
    if (there == 0) return 0;
    *sum += sum_of(parts, there);
    jack_ringbuffer_read_advance(ring, there);
    return there / bytes;
}

#include "ring-loops.h"
