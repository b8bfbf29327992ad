#include "CFrameNumbers.h"

static uint32_t mask(long frameBytes) { return frameBytes >= 4 ? UINT32_MAX : (1u << 8 * frameBytes) - 1; }

uint32_t frame_number(const uint8_t *bytes, long frameBytes, long index) {
    uint32_t number = 0;
    const uint8_t *frame = bytes + index * frameBytes;
    for (long byte = 0; byte < 4 && byte < frameBytes; byte++) number |= (uint32_t)frame[byte] << 8 * byte;
    return number;
}

long frame_number_gap(const uint8_t *bytes, long frameBytes, long count, long start) {
    uint32_t kept = mask(frameBytes), number = frame_number(bytes, frameBytes, start - 1);
    for (long index = start; index < count; index++) {
        uint32_t next = frame_number(bytes, frameBytes, index);
        if (((next - number) & kept) != 1) return index;
        number = next;
    }
    return count;
}

void frame_numbers_fill(uint8_t *bytes, long count) {
    for (long index = 0; index < count; index++)
        for (int byte = 0; byte < 4; byte++) bytes[4 * index + byte] = (uint8_t)((uint32_t)(index + 1) >> 8 * byte);
}
