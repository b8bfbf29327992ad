// Faults on demand: what the parts of the PCM share about them.
//
// FaultScript.c reads a script, FaultHistory.c keeps what outlives one open, Faults.c is what a fault does to an open
// PCM, RandomFaults.c picks some. Docs/TestingYourProgram.md is for those who write scripts.
#ifndef VOICEAUDIO_FAULTS_H
#define VOICEAUDIO_FAULTS_H

#include <alsa/asoundlib.h>
#include <stdbool.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

// --- The script

#define NUMBERED_MAX_FAULTS 64
/// A time, and a number of calls, that never comes.
#define NUMBERED_FOR_EVER UINT64_MAX

/// Where a fault happens: at a frame, or in a call.
enum numbered_point {
    NUMBERED_AT_FRAME,
    NUMBERED_AT_OPEN,
    NUMBERED_AT_SETUP,
    NUMBERED_AT_PREPARE,
    NUMBERED_AT_START,
    NUMBERED_AT_STOP,
    NUMBERED_AT_CLOSE,
    NUMBERED_POINTS
};

enum numbered_kind {
    /// An error, or no answer, in the call that the fault is at.
    NUMBERED_ERROR,
    NUMBERED_HANG,
    /// The same at a frame: in the callback that copies frames, and in the one that tells the position.
    NUMBERED_TRANSFER_ERROR,
    NUMBERED_TRANSFER_HANG,
    NUMBERED_POINTER_ERROR,
    NUMBERED_POINTER_HANG,
    NUMBERED_UNPLUG,
    NUMBERED_SUSPEND,
    /// No frames: they are lost, they come after all, or there are none.
    NUMBERED_STALL,
    NUMBERED_DELAY,
    NUMBERED_FREEZE,
    NUMBERED_POLL_ERROR,
    NUMBERED_SHORT_READS,
    NUMBERED_ZEROS,
    NUMBERED_BACKWARD
};

enum numbered_unit { NUMBERED_CALLS, NUMBERED_FRAMES, NUMBERED_MILLISECONDS };

struct numbered_fault {
    enum numbered_point point;
    /// Once at `place`, or each time that so many frames or calls have passed.
    bool is_repeated;
    /// A frame, or which of the calls, from 1.
    uint64_t place;
    enum numbered_kind kind;
    /// Negative.
    int error;
    /// Frames of a short read, or backward.
    uint64_t amount;
    /// How long, NUMBERED_FOR_EVER included.
    enum numbered_unit unit;
    uint64_t length;
};

struct numbered_script {
    unsigned count;
    struct numbered_fault faults[NUMBERED_MAX_FAULTS];
    /// Faults at random, so often; 0: none.
    uint64_t random_ms, seed;
    /// Hangs end when a file of this name is there; NULL: never.
    char *release_file;
};

/// Reads one fault. What is wrong is told through SNDERR.
int numbered_read_fault(const char *text, struct numbered_fault *fault);
/// One of the faults that a good program survives: the same for the same seed and index.
struct numbered_fault numbered_random_fault(uint64_t seed, uint64_t index);

// --- How long

/// Lasts until a time of the monotonic clock, in nanoseconds, or for so many calls; neither: it is over.
struct numbered_span {
    uint64_t until, calls;
};

/// The span of a fault that begins now. Rates are frames in a second, in millionths.
struct numbered_span numbered_span_of(const struct numbered_fault *fault, uint64_t now, uint64_t rate);
/// Whether this call is within the span; counts it.
bool numbered_takes(struct numbered_span *span, uint64_t now);
uint64_t numbered_frames_in(uint64_t milliseconds, uint64_t rate);

// --- What outlives one open

struct numbered_history;

/// The history of the PCM of this name and script in this process, which keeps the library loaded; NULL where memory
/// ran out.
struct numbered_history *numbered_history_of(const char *name, const struct numbered_script *script);
/// Counts a call, and tells the fault that it meets, if any.
bool numbered_call_meets(struct numbered_history *history, enum numbered_point point, struct numbered_fault *fault);
/// Frames that the script has been through since the first open.
uint64_t numbered_position(struct numbered_history *history);
/// Notes how far the script is, and tells where the next fault at a frame is: NUMBERED_FOR_EVER where there is none.
uint64_t numbered_next_position(struct numbered_history *history, uint64_t rate, uint64_t position);
/// Takes the first fault that is due at the position: it does not happen again.
bool numbered_take_fault(struct numbered_history *history, uint64_t rate, uint64_t position,
                         struct numbered_fault *fault);
/// Unplugs the PCM, for all who have it open, until then.
void numbered_unplug(struct numbered_history *history, uint64_t until);
/// How often it was unplugged: what was open before is gone for good.
unsigned numbered_unplugs(struct numbered_history *history);
bool numbered_is_unplugged(struct numbered_history *history);

// --- What faults do

/// What is amiss with an open PCM, or was: times are of the monotonic clock, in nanoseconds.
struct numbered_trouble {
    /// No frames come until then, since when, and what becomes of them; 0: frames come.
    uint64_t held_until, held_since;
    enum numbered_kind hold;
    uint64_t poll_error_until;
    /// Errors of callbacks.
    struct numbered_span pointer_errors, transfer_errors;
    int pointer_error, transfer_error;
    /// The next transfer answers so much later.
    uint64_t transfer_hang;
    /// Resuming does nothing.
    struct numbered_span vain_resumes;
    /// Reads of at most so many frames, up to this position.
    uint64_t short_frames, short_end;
    /// Zeros from one position to another.
    uint64_t zeros_begin, zeros_end;
    /// The position is told so much too low.
    struct numbered_span backward;
    uint64_t backward_frames;
};

struct numbered_pcm;

/// Does not return before so many nanoseconds have passed, or the release file is there.
void numbered_hang(const struct numbered_script *script, uint64_t nanoseconds);
/// Counts a call, and does what the fault that it meets says: a negative errno where the call is to fail.
int numbered_enter(struct numbered_history *history, const struct numbered_script *script, enum numbered_point point);
/// Begins a fault that is due.
void numbered_begin(struct numbered_pcm *pcm, const struct numbered_fault *fault);

#pragma GCC visibility pop

#endif
