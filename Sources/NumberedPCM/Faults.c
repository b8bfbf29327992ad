// What a fault does: to a call at once, to an open PCM by what it notes as amiss, which Stream.c asks.
#include "NumberedPCM.h"

#include <time.h>
#include <unistd.h>

#define MILLISECOND 1000000u
// Millionths of a nanosecond in a second.
#define UNITS 1000000000000000u

// --- How long

static uint64_t after(uint64_t now, uint64_t nanoseconds) {
    return nanoseconds < NUMBERED_FOR_EVER - now ? now + nanoseconds : NUMBERED_FOR_EVER;
}

static uint64_t nanoseconds_of(const struct numbered_fault *fault, uint64_t rate) {
    if (fault->length == NUMBERED_FOR_EVER) return NUMBERED_FOR_EVER;
    if (fault->unit == NUMBERED_MILLISECONDS) return fault->length * MILLISECOND;
    unsigned __int128 nanoseconds = (unsigned __int128)fault->length * UNITS / rate;
    return nanoseconds < NUMBERED_FOR_EVER ? (uint64_t)nanoseconds : NUMBERED_FOR_EVER;
}

uint64_t numbered_frames_in(uint64_t milliseconds, uint64_t rate) {
    return (uint64_t)((unsigned __int128)milliseconds * rate / 1000000000u);
}

/// The position at which a fault that begins now ends.
static uint64_t end_position(const struct numbered_fault *fault, uint64_t position, uint64_t rate) {
    if (fault->length == NUMBERED_FOR_EVER) return NUMBERED_FOR_EVER;
    bool has_frames = fault->unit == NUMBERED_FRAMES;
    return position + (has_frames ? fault->length : numbered_frames_in(fault->length, rate));
}

struct numbered_span numbered_span_of(const struct numbered_fault *fault, uint64_t now, uint64_t rate) {
    if (fault->unit == NUMBERED_CALLS && fault->length != NUMBERED_FOR_EVER)
        return (struct numbered_span){ .calls = fault->length };
    return (struct numbered_span){ .until = after(now, nanoseconds_of(fault, rate)) };
}

bool numbered_takes(struct numbered_span *span, uint64_t now) {
    if (span->calls == 0) return now < span->until;
    span->calls--;
    return true;
}

// --- Calls

/// Looks for the file again and again: a thread that hangs has nobody who could wake it.
void numbered_hang(const struct numbered_script *script, uint64_t nanoseconds) {
    uint64_t end = after(numbered_now(), nanoseconds);
    while (!script->release_file || access(script->release_file, F_OK) != 0) {
        uint64_t now = numbered_now(), step = 5 * MILLISECOND;
        if (now >= end) return;
        if (end - now < step) step = end - now;
        nanosleep(&(struct timespec){ .tv_nsec = (long)step }, NULL);
    }
}

int numbered_enter(struct numbered_history *history, const struct numbered_script *script, enum numbered_point point) {
    struct numbered_fault fault;
    if (!history || !numbered_call_meets(history, point, &fault)) return 0;
    if (fault.kind == NUMBERED_ERROR) return fault.error;
    numbered_hang(script, nanoseconds_of(&fault, 0));
    return 0;
}

// --- Frames

/// No frames from now on.
static void hold(struct numbered_pcm *pcm, enum numbered_kind kind, uint64_t now, uint64_t nanoseconds) {
    pcm->trouble.hold = kind;
    pcm->trouble.held_since = now;
    pcm->trouble.held_until = after(now, nanoseconds);
}

void numbered_begin(struct numbered_pcm *pcm, const struct numbered_fault *fault) {
    struct numbered_trouble *trouble = &pcm->trouble;
    uint64_t now = numbered_now(), position = pcm->passed + pcm->captured, rate = numbered_rate(pcm);
    struct numbered_span span = numbered_span_of(fault, now, rate);
    uint64_t nanoseconds = nanoseconds_of(fault, rate);
    switch (fault->kind) {
    case NUMBERED_ERROR:
    case NUMBERED_HANG: return;  // Only in calls.
    case NUMBERED_TRANSFER_ERROR:
        trouble->transfer_errors = span;
        trouble->transfer_error = fault->error;
        return;
    case NUMBERED_TRANSFER_HANG: trouble->transfer_hang = nanoseconds; return;
    case NUMBERED_POINTER_ERROR:
        trouble->pointer_errors = span;
        trouble->pointer_error = fault->error;
        return;
    case NUMBERED_POINTER_HANG: numbered_hang(&pcm->settings.script, nanoseconds); return;
    case NUMBERED_UNPLUG: numbered_unplug(pcm->history, after(now, nanoseconds)); return;
    case NUMBERED_SUSPEND:
        trouble->vain_resumes = span;
        numbered_stop(pcm, SND_PCM_STATE_SUSPENDED);
        return;
    case NUMBERED_STALL:
    case NUMBERED_DELAY:
    case NUMBERED_FREEZE: hold(pcm, fault->kind, now, nanoseconds); return;
    case NUMBERED_POLL_ERROR:
        hold(pcm, NUMBERED_STALL, now, nanoseconds);
        trouble->poll_error_until = trouble->held_until;
        return;
    case NUMBERED_SHORT_READS:
        trouble->short_frames = fault->amount;
        trouble->short_end = end_position(fault, position, rate);
        return;
    case NUMBERED_ZEROS:
        trouble->zeros_begin = position;
        trouble->zeros_end = end_position(fault, position, rate);
        return;
    case NUMBERED_BACKWARD:
        trouble->backward = span;
        trouble->backward_frames = fault->amount;
        return;
    }
}
