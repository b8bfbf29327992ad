#include "CFrameNumbers.h"

static uint32_t mask(long frameBytes) { return frameBytes >= 4 ? UINT32_MAX : (1u << 8 * frameBytes) - 1; }

uint32_t frame_number(const uint8_t *bytes, long frameBytes, long index) {
    uint32_t number = 0;
    const uint8_t *frame = bytes + index * frameBytes;
    for (long byte = 0; byte < 4 && byte < frameBytes; byte++) number |= (uint32_t)frame[byte] << 8 * byte;
    return number;
}

long frame_number_gap(const uint8_t *bytes, long frameBytes, long count, long start) {
    for (long index = start; index < count; index++) {
        uint32_t difference = frame_number(bytes, frameBytes, index) - frame_number(bytes, frameBytes, index - 1);
        if ((difference & mask(frameBytes)) != 1) return index;
    }
    return count;
}
