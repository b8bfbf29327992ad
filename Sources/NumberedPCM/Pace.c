// Frames come by the clock: a process that was stopped finds what would have come meanwhile.
#include "NumberedPCM.h"

#include <time.h>

// Millionths of a nanosecond in a second.
#define UNITS 1000000000000000u

uint64_t numbered_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t numbered_frames_until(const struct numbered_pace *pace, uint64_t now) {
    if (now < pace->origin) return 0;
    return (uint64_t)((unsigned __int128)(now - pace->origin) * pace->rate / UNITS);
}

uint64_t numbered_time_of(const struct numbered_pace *pace, uint64_t frames) {
    unsigned __int128 units = (unsigned __int128)frames * UNITS + pace->rate - 1;
    return pace->origin + (uint64_t)(units / pace->rate);
}
