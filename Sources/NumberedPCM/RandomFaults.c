// Faults at random for long runs: those that a program can survive, each short. The same seed gives the same ones.
#include "Faults.h"

#include <errno.h>

/// SplitMix64 (Steele, Lea and Flood, 2014): a good 64 bits of any.
static uint64_t mixed(uint64_t value) {
    value += 0x9E3779B97F4A7C15u;
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
    return value ^ (value >> 31);
}

static const struct numbered_fault survivable[] = {
    { .kind = NUMBERED_POINTER_ERROR, .error = -EPIPE, .unit = NUMBERED_CALLS, .length = 1 },
    { .kind = NUMBERED_POINTER_ERROR, .error = -EIO, .unit = NUMBERED_CALLS, .length = 2 },
    { .kind = NUMBERED_TRANSFER_ERROR, .error = -EIO, .unit = NUMBERED_CALLS, .length = 1 },
    { .kind = NUMBERED_TRANSFER_ERROR, .error = -ENODEV, .unit = NUMBERED_CALLS, .length = 1 },
    { .kind = NUMBERED_TRANSFER_HANG, .unit = NUMBERED_MILLISECONDS },
    { .kind = NUMBERED_POINTER_HANG, .unit = NUMBERED_MILLISECONDS },
    { .kind = NUMBERED_UNPLUG, .unit = NUMBERED_MILLISECONDS },
    { .kind = NUMBERED_SUSPEND, .unit = NUMBERED_CALLS },
    { .kind = NUMBERED_SUSPEND, .unit = NUMBERED_MILLISECONDS },
    { .kind = NUMBERED_STALL, .unit = NUMBERED_MILLISECONDS },
    { .kind = NUMBERED_DELAY, .unit = NUMBERED_MILLISECONDS },
    { .kind = NUMBERED_FREEZE, .unit = NUMBERED_MILLISECONDS },
    { .kind = NUMBERED_POLL_ERROR, .unit = NUMBERED_MILLISECONDS },
    { .kind = NUMBERED_SHORT_READS, .amount = 1, .unit = NUMBERED_MILLISECONDS },
    { .kind = NUMBERED_ZEROS, .unit = NUMBERED_MILLISECONDS },
    { .kind = NUMBERED_BACKWARD, .amount = 1000, .unit = NUMBERED_CALLS, .length = 2 },
};

struct numbered_fault numbered_random_fault(uint64_t seed, uint64_t index) {
    uint64_t random = mixed(mixed(seed) ^ index);
    struct numbered_fault fault = survivable[random % (sizeof survivable / sizeof *survivable)];
    if (fault.unit == NUMBERED_MILLISECONDS) fault.length = 1 + (random >> 32) % 100;
    return fault;
}
