// Boost's queue for one producer and one consumer, as a module. Its elements are the chunks.
#include "ring.h"

#include <boost/lockfree/spsc_queue.hpp>

namespace {

template <size_t bytes> struct alignas(64) Chunk {
    uint64_t words[bytes / 8];
};

template <size_t bytes> using Queue = boost::lockfree::spsc_queue<Chunk<bytes>>;

// Gives `use` the queue as what it is.
template <typename Use> inlined auto with(void *ring, size_t bytes, Use use) {
    switch (bytes) {
        case 320: return use(*static_cast<Queue<320> *>(ring));
        case 2048: return use(*static_cast<Queue<2048> *>(ring));
        default: return use(*static_cast<Queue<16384> *>(ring));
    }
}

template <typename Queue> using Element = typename std::remove_reference_t<Queue>::value_type;

inlined void *create(size_t slots, size_t bytes) {
    switch (bytes) {
        case 320: return new Queue<320>(slots);
        case 2048: return new Queue<2048>(slots);
        default: return new Queue<16384>(slots);
    }
}

inlined void destroy(void *ring, size_t bytes) {
    with(ring, bytes, [](auto &queue) { delete &queue; });
}

inlined int put(void *ring, const uint64_t *chunk, size_t bytes) {
    return with(ring, bytes, [=](auto &queue) {
        return queue.push(*reinterpret_cast<const Element<decltype(queue)> *>(chunk));
    });
}

inlined int take(void *ring, uint64_t *chunk, size_t bytes) {
    return with(ring, bytes, [=](auto &queue) {
        return queue.pop(*reinterpret_cast<Element<decltype(queue)> *>(chunk));
    });
}

inlined int sum_one(void *ring, uint64_t *sum, size_t bytes) {
    return with(ring, bytes, [=](auto &queue) {
        return queue.consume_one([=](auto &element) { *sum += ring_sum(element.words, bytes); });
    });
}

inlined size_t sum_all(void *ring, uint64_t *sum, size_t bytes) {
    return with(ring, bytes, [=](auto &queue) {
        return queue.consume_all([=](auto &element) { *sum += ring_sum(element.words, bytes); });
    });
}

#include "ring-loops.h"

}  // namespace
