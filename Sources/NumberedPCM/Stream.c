// What alsa-lib asks of the PCM.
//
// Every answer follows from one look at the position: what was captured until now, of which the reader has not had the
// last frames, which are *waiting*. alsa-lib holds its lock in pointer, transfer, start and stop, not in the others.
#include "NumberedPCM.h"

#include <poll.h>
#include <sys/timerfd.h>
#include <unistd.h>

static const uint64_t never = UINT64_MAX;

static struct numbered_pcm *pcm_of(snd_pcm_ioplug_t *io) { return io->private_data; }

// --- Position

/// Frames captured that the reader has not had: more than the buffer holds where it is late.
static uint64_t waiting(const struct numbered_pcm *pcm) {
    uint64_t position = (pcm->captured - pcm->start) % pcm->boundary;
    return (position + pcm->boundary - pcm->io.appl_ptr) % pcm->boundary;
}

/// Brings the position up to now. Without a clock as much is waiting as wakes the reader, but never so much that it
/// would seem late: a period less than the buffer at most.
static void look(struct numbered_pcm *pcm, uint64_t now) {
    if (pcm->pace.rate) {
        uint64_t frames = numbered_frames_until(&pcm->pace, now);
        if (frames > pcm->captured) pcm->captured = frames;
        return;
    }
    uint64_t period = pcm->io.period_size, most = pcm->io.buffer_size - period;
    uint64_t wanted = pcm->wake_frames < period ? period : pcm->wake_frames;
    if (wanted > most) wanted = most;
    uint64_t there = waiting(pcm);
    if (there < wanted) pcm->captured += wanted - there;
}

static bool is_overrun(const struct numbered_pcm *pcm) { return waiting(pcm) >= pcm->stop_frames; }

// --- Waking the reader

static void arm(struct numbered_pcm *pcm, uint64_t time) {
    struct itimerspec at = { .it_value = { 0, 0 } };
    if (time != never) {
        // A timer for 0 is off; any other time that has passed makes it readable at once.
        if (time == 0) time = 1;
        at.it_value.tv_sec = (time_t)(time / 1000000000u);
        at.it_value.tv_nsec = (long)(time % 1000000000u);
    }
    timerfd_settime(pcm->timer, TFD_TIMER_ABSTIME, &at, NULL);
    pcm->armed_for = time;
}

/// Whether enough is waiting for the reader to be woken, but for `taken` frames that it is about to have.
static bool is_ready(const struct numbered_pcm *pcm, uint64_t taken) {
    if (!pcm->pace.rate) return true;
    uint64_t there = waiting(pcm) - taken;
    return there >= pcm->wake_frames || there >= pcm->stop_frames;
}

/// Arms the timer of a running stream for the end of the period in which the reader is to be woken, as hardware
/// interrupts.
static void arm_for_reader(struct numbered_pcm *pcm, uint64_t now, uint64_t taken) {
    if (is_ready(pcm, taken)) {
        if (pcm->armed_for > now) arm(pcm, 0);
        return;
    }
    uint64_t missing = pcm->wake_frames < pcm->stop_frames ? pcm->wake_frames : pcm->stop_frames;
    uint64_t due = pcm->captured - waiting(pcm) + taken + missing - pcm->start;
    uint64_t periods = (due + pcm->io.period_size - 1) / pcm->io.period_size;
    uint64_t time = numbered_time_of(&pcm->pace, pcm->start + periods * pcm->io.period_size);
    if (time != pcm->armed_for) arm(pcm, time);
}

// --- Setting up

static int set_hardware(snd_pcm_ioplug_t *io, snd_pcm_hw_params_t *parameters) {
    struct numbered_pcm *pcm = pcm_of(io);
    (void)parameters;
    pcm->pace.rate = io->rate * pcm->settings.speed;
    // Numbers begin anew.
    pcm->has_origin = false;
    pcm->start = pcm->captured = 0;
    return 0;
}

static int set_software(snd_pcm_ioplug_t *io, snd_pcm_sw_params_t *parameters) {
    struct numbered_pcm *pcm = pcm_of(io);
    snd_pcm_sw_params_get_avail_min(parameters, &pcm->wake_frames);
    snd_pcm_sw_params_get_stop_threshold(parameters, &pcm->stop_frames);
    snd_pcm_sw_params_get_boundary(parameters, &pcm->boundary);
    if (pcm->is_running) arm_for_reader(pcm, numbered_now(), 0);
    return 0;
}

static int prepare(snd_pcm_ioplug_t *io) {
    struct numbered_pcm *pcm = pcm_of(io);
    pcm->is_running = false;
    // alsa-lib counts from 0 again.
    pcm->start = pcm->captured;
    arm(pcm, never);
    return 0;
}

// --- Running

/// At another start than the first the numbers are where the clock is: they show what was missed.
static int start(snd_pcm_ioplug_t *io) {
    struct numbered_pcm *pcm = pcm_of(io);
    uint64_t now = numbered_now();
    if (!pcm->has_origin) {
        pcm->pace.origin = now;
        pcm->has_origin = true;
    }
    pcm->is_running = true;
    look(pcm, now);
    if (pcm->pace.rate) pcm->start = pcm->captured;
    arm_for_reader(pcm, now, 0);
    return 0;
}

/// Who waits for a stream that stopped is told at once.
static int stop(snd_pcm_ioplug_t *io) {
    struct numbered_pcm *pcm = pcm_of(io);
    pcm->is_running = false;
    arm(pcm, 0);
    return 0;
}

/// Stops at once: alsa-lib would wait until the buffer has run full.
static int drain(snd_pcm_ioplug_t *io) {
    (void)io;
    return 0;
}

/// An overrun, which alsa-lib does not look for, is ours to tell: where as much is waiting as the reader set as the
/// threshold to stop at.
static snd_pcm_sframes_t pointer(snd_pcm_ioplug_t *io) {
    struct numbered_pcm *pcm = pcm_of(io);
    uint64_t now = numbered_now();
    if (pcm->is_running) {
        look(pcm, now);
        if (is_overrun(pcm)) {
            stop(io);
            return -EPIPE;
        }
        arm_for_reader(pcm, now, 0);
    }
    return (snd_pcm_sframes_t)((pcm->captured - pcm->start) % pcm->boundary);
}

/// What the buffer would hold: where the reader is late, newer frames stand in the place of those it has missed.
static snd_pcm_sframes_t transfer(snd_pcm_ioplug_t *io, const snd_pcm_channel_area_t *areas, snd_pcm_uframes_t offset,
                                  snd_pcm_uframes_t size) {
    struct numbered_pcm *pcm = pcm_of(io);
    const struct numbered_format *format = numbered_format_of(io->format);
    uint64_t there = waiting(pcm), oldest = pcm->settings.first_frame + pcm->captured - there;
    for (uint64_t index = 0; index < size; index++) {
        uint64_t overwritten = index < there ? (there - 1 - index) / io->buffer_size * io->buffer_size : 0;
        numbered_write_frame(oldest + index + overwritten, format, io->channels, areas, offset + index);
    }
    // With memory-mapped access the reader says later how much it has had.
    bool has_taken = io->access == SND_PCM_ACCESS_RW_INTERLEAVED || io->access == SND_PCM_ACCESS_RW_NONINTERLEAVED;
    if (has_taken && pcm->is_running && size <= there) arm_for_reader(pcm, numbered_now(), size);
    return (snd_pcm_sframes_t)size;
}

/// As the kernel answers: what does not run and will not is an error.
static int poll_revents(snd_pcm_ioplug_t *io, struct pollfd *descriptors, unsigned count, unsigned short *events) {
    (void)descriptors;
    (void)count;
    // The position, in alsa-lib's lock; an overrun changes the state.
    snd_pcm_hwsync(io->pcm);
    switch (io->state) {
    case SND_PCM_STATE_RUNNING: *events = is_ready(pcm_of(io), 0) ? POLLIN : 0; break;
    case SND_PCM_STATE_PREPARED:
    case SND_PCM_STATE_PAUSED: *events = 0; break;
    default: *events = POLLIN | POLLERR; break;
    }
    return 0;
}

static int close_pcm(snd_pcm_ioplug_t *io) {
    struct numbered_pcm *pcm = pcm_of(io);
    close(pcm->timer);
    free(pcm);
    return 0;
}

const snd_pcm_ioplug_callback_t numbered_callbacks = {
    .hw_params = set_hardware,
    .sw_params = set_software,
    .prepare = prepare,
    .start = start,
    .stop = stop,
    .drain = drain,
    .pointer = pointer,
    .transfer = transfer,
    .poll_revents = poll_revents,
    .close = close_pcm,
};
