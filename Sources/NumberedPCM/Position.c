// Where the stream is: what was captured until now, of which the reader has not had the last frames, which are
// *waiting*.
//
// Nothing is shown past the next fault before the reader has come to it, so that what it has had by then is always the
// same, however late it is.
#include "NumberedPCM.h"

/// As often alsa-lib may ask for the position in a read that has had frames.
static const unsigned looks_in_a_read = 3;
/// A reader that asks so often and does not read will not.
static const unsigned looks_of_patience = 100;

uint64_t numbered_rate(const struct numbered_pcm *pcm) {
    return pcm->pace.rate ? pcm->pace.rate : (uint64_t)pcm->io.rate * 1000000u;
}

uint64_t numbered_waiting(const struct numbered_pcm *pcm) {
    uint64_t position = (pcm->captured - pcm->start) % pcm->boundary;
    return (position + pcm->boundary - pcm->io.appl_ptr) % pcm->boundary;
}

// --- Frames that come

/// Without a clock as much is waiting as wakes the reader, but never so much that it would seem late: a period less
/// than the buffer at most.
static uint64_t frames_without_clock(const struct numbered_pcm *pcm) {
    uint64_t period = pcm->io.period_size, most = pcm->io.buffer_size - period;
    uint64_t wanted = pcm->wake_frames < period ? period : pcm->wake_frames;
    return pcm->captured - numbered_waiting(pcm) + (wanted < most ? wanted : most);
}

/// The frames up to there are lost: the numbers go on with them, the reader's position does not.
static void lose_until(struct numbered_pcm *pcm, uint64_t frames) {
    if (frames <= pcm->captured) return;
    pcm->start += frames - pcm->captured;
    pcm->captured = frames;
}

/// Whether a fault keeps frames from coming. When it is over, its kind tells what becomes of those of that time.
static bool is_held(struct numbered_pcm *pcm, uint64_t now) {
    struct numbered_trouble *trouble = &pcm->trouble;
    if (now < trouble->held_until) return true;
    if (trouble->held_until && pcm->pace.rate) {
        if (trouble->hold == NUMBERED_FREEZE) pcm->pace.origin += trouble->held_until - trouble->held_since;
        if (trouble->hold == NUMBERED_STALL) lose_until(pcm, numbered_frames_until(&pcm->pace, trouble->held_until));
    }
    trouble->held_until = 0;
    return false;
}

void numbered_catch_up(struct numbered_pcm *pcm, uint64_t now) {
    if (pcm->pace.rate && !is_held(pcm, now)) lose_until(pcm, numbered_frames_until(&pcm->pace, now));
}

// --- Frames that are shown

/// A few at a time, and none just after a transfer: alsa-lib would fill up the read.
static void limit_short_reads(struct numbered_pcm *pcm) {
    const struct numbered_trouble *trouble = &pcm->trouble;
    bool is_in_read = pcm->looks < looks_in_a_read;
    uint64_t taken = pcm->captured - numbered_waiting(pcm), position = pcm->passed + taken;
    if (!trouble->short_frames || position > trouble->short_end) return;
    uint64_t left = trouble->short_end - position;
    // The last of them ends its read too.
    if (left == 0 && !is_in_read) return;
    uint64_t more = left < trouble->short_frames ? left : trouble->short_frames;
    if (is_in_read) more = 0;
    if (taken + more < pcm->shown_end) pcm->shown_end = taken + more;
}

void numbered_limit(struct numbered_pcm *pcm) {
    pcm->fault_at = pcm->shown_end = NUMBERED_FOR_EVER;
    if (!pcm->history) return;
    uint64_t next = numbered_next_position(pcm->history, numbered_rate(pcm), pcm->passed + pcm->captured);
    if (next != NUMBERED_FOR_EVER) pcm->fault_at = pcm->shown_end = next > pcm->passed ? next - pcm->passed : 0;
    limit_short_reads(pcm);
}

void numbered_look(struct numbered_pcm *pcm, uint64_t now) {
    uint64_t before = pcm->captured, frames = before;
    bool held = is_held(pcm, now);
    numbered_limit(pcm);
    if (!held) frames = pcm->pace.rate ? numbered_frames_until(&pcm->pace, now) : frames_without_clock(pcm);
    pcm->is_cut = frames > pcm->shown_end || frames >= pcm->fault_at;
    if (frames > pcm->shown_end) frames = pcm->shown_end;
    if (frames > pcm->captured) pcm->captured = frames;
    pcm->looks = pcm->captured == before ? pcm->looks + 1 : 0;
}

bool numbered_is_due(const struct numbered_pcm *pcm) {
    if (pcm->captured < pcm->fault_at) return false;
    return pcm->looks >= looks_of_patience || (pcm->looks >= looks_in_a_read && numbered_waiting(pcm) == 0);
}
