// An ALSA PCM that captures numbered frames from no hardware: what its parts share.
//
// Configuration.c reads the settings, Samples.c knows what a frame holds, Pace.c when it is there, Position.c which the
// reader sees, Stream.c answers alsa-lib, and Plugin.c opens. Faults.h has what goes wrong on demand.
// Docs/TestingYourProgram.md is for its users.
#ifndef VOICEAUDIO_NUMBEREDPCM_H
#define VOICEAUDIO_NUMBEREDPCM_H

#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "Faults.h"

// Only the entry point is for others to see: who loads this library may have functions of the same names.
#pragma GCC visibility push(hidden)

// --- Settings

#define NUMBERED_MAX_VALUES 32
#define NUMBERED_MAX_FORMATS 5

/// The values that a parameter may take: a list, or all from the first to the second.
struct numbered_values {
    bool is_range;
    unsigned count;
    unsigned list[NUMBERED_MAX_VALUES];
};

struct numbered_settings {
    unsigned format_count;
    snd_pcm_format_t formats[NUMBERED_MAX_FORMATS];
    struct numbered_values channels;
    struct numbered_values rates;
    struct numbered_values period_frames;
    struct numbered_values buffer_frames;
    /// Millionths of real time; 0: there is no clock, frames are there as they are read.
    uint64_t speed;
    uint64_t first_frame;
    struct numbered_script script;
};

/// Reads a PCM's configuration. What is wrong is told through SNDERR.
int numbered_configure(struct numbered_settings *settings, snd_config_t *configuration);
void numbered_free_settings(struct numbered_settings *settings);
/// Tells alsa-lib what hardware parameters there are.
int numbered_constrain(snd_pcm_ioplug_t *io, const struct numbered_settings *settings);

// --- Samples

/// A format that can be delivered, its name in the configuration being ALSA's.
struct numbered_format {
    snd_pcm_format_t format;
    /// Bits that carry the number, and bytes of a sample.
    unsigned bits, bytes;
};

extern const struct numbered_format numbered_formats[NUMBERED_MAX_FORMATS];

/// NULL where it cannot be delivered.
const struct numbered_format *numbered_format_of(snd_pcm_format_t format);
/// Writes the frame of this number to a place in each channel's area.
void numbered_write_frame(uint64_t number, const struct numbered_format *format, unsigned channel_count,
                          const snd_pcm_channel_area_t *areas, snd_pcm_uframes_t place);
void numbered_write_silence(const struct numbered_format *format, unsigned channel_count,
                            const snd_pcm_channel_area_t *areas, snd_pcm_uframes_t place);

// --- Pace

/// Frames that come by the monotonic clock.
struct numbered_pace {
    /// Frames in a second, in millionths; 0 where there is no clock.
    uint64_t rate;
    /// When frame 0 began, in nanoseconds.
    uint64_t origin;
};

/// The monotonic clock, in nanoseconds.
uint64_t numbered_now(void);
/// Whole frames that have come.
uint64_t numbered_frames_until(const struct numbered_pace *pace, uint64_t now);
/// The first nanosecond at which that many frames have come.
uint64_t numbered_time_of(const struct numbered_pace *pace, uint64_t frames);

// --- Stream

/// An open PCM. Positions count frames since the first start; alsa-lib counts from the last one.
struct numbered_pcm {
    snd_pcm_ioplug_t io;
    struct numbered_settings settings;

    struct numbered_pace pace;
    bool has_origin;
    bool is_running;
    /// Where the last start was, and the end of what has been captured, as last looked.
    uint64_t start, captured;

    // The software parameters.
    snd_pcm_uframes_t wake_frames, stop_frames, boundary;

    /// Readable when the reader is to be woken, and when it is armed for; UINT64_MAX if not at all.
    int timer;
    uint64_t armed_for;

    /// NULL without a script of faults.
    struct numbered_history *history;
    /// Where in the script this PCM's frame 0 is.
    uint64_t passed;
    /// Where the next fault is, and where what is shown ends for now; the clock is further on where `is_cut`.
    uint64_t fault_at, shown_end;
    bool is_cut;
    /// How often the position was asked for since it or the reader moved.
    unsigned looks;
    /// Unplugged as often when opened.
    unsigned unplugs;
    struct numbered_trouble trouble;
};

/// What alsa-lib calls.
extern const snd_pcm_ioplug_callback_t numbered_callbacks;

/// Stops of its own accord: who waits is woken, and finds this state.
void numbered_stop(struct numbered_pcm *pcm, snd_pcm_state_t state);

// --- Position

/// Frames in a second, in millionths: real time's where there is no clock.
uint64_t numbered_rate(const struct numbered_pcm *pcm);
/// Frames captured that the reader has not had: more than the buffer holds where it is late.
uint64_t numbered_waiting(const struct numbered_pcm *pcm);
/// Brings the position up to now, as far as it is shown.
void numbered_look(struct numbered_pcm *pcm, uint64_t now);
/// Sets what is shown anew.
void numbered_limit(struct numbered_pcm *pcm);
/// Brings the numbers up to now: what passed while the stream did not run is lost, where there is a clock.
void numbered_catch_up(struct numbered_pcm *pcm, uint64_t now);
/// Whether the reader has come to the next fault, and alsa-lib is done with the read that led it there.
bool numbered_is_due(const struct numbered_pcm *pcm);

#pragma GCC visibility pop

#endif
