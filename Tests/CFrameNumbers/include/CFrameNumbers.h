#ifndef FRAME_NUMBERS_H
#define FRAME_NUMBERS_H

#include <stdint.h>

// Samples of a microphone whose frames of `frameBytes` hold their own numbers, little endian, in their first four bytes
// or, where they are smaller, as far as these reach. In C, as an emulated machine reads millions of them in debug.

// The number of a frame.
uint32_t frame_number(const uint8_t *bytes, long frameBytes, long index);

// The first frame from `start` (1 or more) on whose number does not follow that of the frame before; `count` if none.
long frame_number_gap(const uint8_t *bytes, long frameBytes, long count, long start);

// Numbers `count` frames of 4 bytes, from 1 on.
void frame_numbers_fill(uint8_t *bytes, long count);

#endif
