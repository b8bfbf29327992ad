// The loops of a peer's module, for one that has defined these, each `inlined`; `bytes` is a chunk's size, and becomes
// a constant:
//
//   void *create(size_t slots, size_t bytes)
//   void destroy(void *ring, size_t bytes)
//   int put(void *ring, const uint64_t *chunk, size_t bytes)          copies in; 0 where there is no room
//   int take(void *ring, uint64_t *chunk, size_t bytes)               copies out; 0 where nothing is there
//   int sum_one(void *ring, uint64_t *sum, size_t bytes)              adds a chunk's words up in place, gives it back
//   size_t sum_all(void *ring, uint64_t *sum, size_t bytes)           those of all there is; answers how many chunks

inlined void produce(void *ring, uint64_t *chunk, size_t count, size_t bytes) {
    for (size_t number = 0; number < count; number++) {
        chunk[0] = number;
        while (!put(ring, chunk, bytes)) ring_pause();
    }
}

inlined uint64_t consume(void *ring, uint64_t *chunk, size_t count, size_t bytes) {
    uint64_t sum = 0;
    for (size_t number = 0; number < count; number++) {
        while (!take(ring, chunk, bytes)) ring_pause();
        sum += chunk[0] + chunk[bytes / 8 - 1];
    }
    return sum;
}

inlined uint64_t consume_in_place(void *ring, size_t count, size_t bytes) {
    uint64_t sum = 0;
    for (size_t number = 0; number < count; number++) {
        while (!sum_one(ring, &sum, bytes)) ring_pause();
    }
    return sum;
}

inlined uint64_t consume_all_in_place(void *ring, size_t count, size_t bytes) {
    uint64_t sum = 0;
    while (count > 0) {
        size_t there = sum_all(ring, &sum, bytes);
        if (there == 0) ring_pause();
        count -= there;
    }
    return sum;
}

inlined void produce_timed(void *ring, const uint64_t *chunk, uint32_t *ticks, size_t count, size_t bytes) {
    for (size_t number = 0; number < count;) {
        uint64_t start = ring_ticks();
        int isIn = put(ring, chunk, bytes);
        uint64_t end = ring_ticks();
        if (isIn) {
            ticks[number++] = (uint32_t)(end - start);
        } else {
            ring_pause();
        }
    }
}

inlined void hammer(void *ring, uint64_t *chunk, const int *stop, size_t bytes) {
    while (!ring_is_set(stop)) take(ring, chunk, bytes);
}

inlined void empty(void *ring, uint64_t *chunk, size_t bytes) {
    while (take(ring, chunk, bytes)) {}
}

#define SIZE(bytes)                                                                                                   \
    static void *create##bytes(size_t slots) { return create(slots, bytes); }                                         \
    static void destroy##bytes(void *r) { destroy(r, bytes); }                                                        \
    static void produce##bytes(void *r, uint64_t *c, size_t n) { produce(r, c, n, bytes); }                           \
    static uint64_t consume##bytes(void *r, uint64_t *c, size_t n) { return consume(r, c, n, bytes); }                \
    static uint64_t in_place##bytes(void *r, size_t n) { return consume_in_place(r, n, bytes); }                      \
    static uint64_t all_in_place##bytes(void *r, size_t n) { return consume_all_in_place(r, n, bytes); }              \
    static void timed##bytes(void *r, const uint64_t *c, uint32_t *t, size_t n) { produce_timed(r, c, t, n, bytes); } \
    static void hammer##bytes(void *r, uint64_t *c, const int *s) { hammer(r, c, s, bytes); }                         \
    static void empty##bytes(void *r, uint64_t *c) { empty(r, c, bytes); }                                            \
    static const ring_peer peer##bytes = {                                                                            \
        create##bytes, destroy##bytes, produce##bytes, consume##bytes, in_place##bytes, all_in_place##bytes,          \
        timed##bytes, hammer##bytes, empty##bytes};
SIZE(320)
SIZE(2048)
SIZE(16384)
#undef SIZE

RING_EXPORTED const ring_peer *ring_peer_of(size_t bytes) {
    return bytes == 320 ? &peer320 : bytes == 2048 ? &peer2048 : bytes == 16384 ? &peer16384 : NULL;
}
