// What alsa-lib asks of the PCM.
//
// Every answer follows from one look at the position. alsa-lib holds its lock in pointer, transfer, start and stop, not
// in the others.
#include "NumberedPCM.h"

#include <poll.h>
#include <sys/timerfd.h>
#include <unistd.h>

static const uint64_t never = UINT64_MAX;

static struct numbered_pcm *pcm_of(snd_pcm_ioplug_t *io) { return io->private_data; }

/// A call that the script may have a fault for.
static int enter(struct numbered_pcm *pcm, enum numbered_point point) {
    return numbered_enter(pcm->history, &pcm->settings.script, point);
}

static bool is_overrun(const struct numbered_pcm *pcm) { return numbered_waiting(pcm) >= pcm->stop_frames; }

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
    uint64_t there = numbered_waiting(pcm) - taken;
    if (there >= pcm->wake_frames || there >= pcm->stop_frames) return true;
    if (pcm->trouble.held_until) return false;
    return !pcm->pace.rate || pcm->is_cut;
}

/// Arms the timer of a running stream for the end of the period in which the reader is to be woken, as hardware
/// interrupts.
static void arm_for_reader(struct numbered_pcm *pcm, uint64_t now, uint64_t taken) {
    if (is_ready(pcm, taken) || now < pcm->trouble.poll_error_until) {
        if (pcm->armed_for > now) arm(pcm, 0);
        return;
    }
    uint64_t missing = pcm->wake_frames < pcm->stop_frames ? pcm->wake_frames : pcm->stop_frames;
    uint64_t due = pcm->captured - numbered_waiting(pcm) + taken + missing - pcm->start;
    uint64_t periods = (due + pcm->io.period_size - 1) / pcm->io.period_size;
    uint64_t end = pcm->start + periods * pcm->io.period_size;
    if (end > pcm->fault_at) end = pcm->fault_at;
    uint64_t time = pcm->pace.rate ? numbered_time_of(&pcm->pace, end) : 0;
    if (time < pcm->trouble.held_until) time = pcm->trouble.held_until;
    if (time != pcm->armed_for) arm(pcm, time);
}

// --- Setting up

static int set_hardware(snd_pcm_ioplug_t *io, snd_pcm_hw_params_t *parameters) {
    struct numbered_pcm *pcm = pcm_of(io);
    (void)parameters;
    int status = enter(pcm, NUMBERED_AT_SETUP);
    if (status < 0) return status;
    pcm->pace.rate = io->rate * pcm->settings.speed;
    if (pcm->history) pcm->passed = numbered_position(pcm->history);
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
    int status = enter(pcm, NUMBERED_AT_PREPARE);
    if (status < 0) return status;
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
    int status = enter(pcm, NUMBERED_AT_START);
    if (status < 0) return status;
    uint64_t now = numbered_now();
    if (!pcm->has_origin) {
        pcm->pace.origin = now;
        pcm->has_origin = true;
    }
    pcm->is_running = true;
    numbered_catch_up(pcm, now);
    if (pcm->pace.rate) pcm->start = pcm->captured;
    numbered_look(pcm, now);
    arm_for_reader(pcm, now, 0);
    return 0;
}

/// Who waits for a stream that stopped is told at once.
static void halt(struct numbered_pcm *pcm) {
    pcm->is_running = false;
    arm(pcm, 0);
}

void numbered_stop(struct numbered_pcm *pcm, snd_pcm_state_t state) {
    halt(pcm);
    snd_pcm_ioplug_set_state(&pcm->io, state);
}

static int stop(snd_pcm_ioplug_t *io) {
    enter(pcm_of(io), NUMBERED_AT_STOP);
    halt(pcm_of(io));
    return 0;
}

/// alsa-lib answers 0 for any I/O plugin: what became of it, the state tells.
static int resume(snd_pcm_ioplug_t *io) {
    struct numbered_pcm *pcm = pcm_of(io);
    uint64_t now = numbered_now();
    if (io->state != SND_PCM_STATE_SUSPENDED || numbered_takes(&pcm->trouble.vain_resumes, now)) return -EAGAIN;
    numbered_catch_up(pcm, now);
    pcm->is_running = true;
    snd_pcm_ioplug_set_state(io, SND_PCM_STATE_RUNNING);
    arm_for_reader(pcm, now, 0);
    return 0;
}

/// Stops at once: alsa-lib would wait until the buffer has run full.
static int drain(snd_pcm_ioplug_t *io) {
    (void)io;
    return 0;
}

/// Lets the faults happen that are due.
///
/// - Returns: Whether there were any.
static bool meet_faults(struct numbered_pcm *pcm) {
    struct numbered_fault fault;
    bool has_met = false;
    while (pcm->is_running && numbered_is_due(pcm)
           && numbered_take_fault(pcm->history, numbered_rate(pcm), pcm->passed + pcm->captured, &fault)) {
        numbered_begin(pcm, &fault);
        numbered_limit(pcm);
        has_met = true;
    }
    // Whoever has it open.
    if (pcm->history && numbered_unplugs(pcm->history) != pcm->unplugs)
        numbered_stop(pcm, SND_PCM_STATE_DISCONNECTED);
    return has_met;
}

static bool takes_pointer_error(struct numbered_pcm *pcm) {
    return pcm->is_running && numbered_takes(&pcm->trouble.pointer_errors, numbered_now());
}

/// An overrun, which alsa-lib does not look for, is ours to tell: where as much is waiting as the reader set as the
/// threshold to stop at. Of any error alsa-lib makes the state XRUN, so what is in another state answers a position.
static snd_pcm_sframes_t pointer(snd_pcm_ioplug_t *io) {
    struct numbered_pcm *pcm = pcm_of(io);
    uint64_t backward = 0;
    bool has_error = takes_pointer_error(pcm);
    if (pcm->is_running && !has_error) numbered_look(pcm, numbered_now());
    if (!has_error && meet_faults(pcm)) {
        has_error = takes_pointer_error(pcm);
        // What comes after them.
        if (pcm->is_running && !has_error) numbered_look(pcm, numbered_now());
    }
    if (has_error || (pcm->is_running && is_overrun(pcm))) {
        halt(pcm);
        return has_error ? pcm->trouble.pointer_error : -EPIPE;
    }
    if (pcm->is_running) {
        uint64_t now = numbered_now();
        if (numbered_takes(&pcm->trouble.backward, now)) backward = pcm->trouble.backward_frames % pcm->boundary;
        arm_for_reader(pcm, now, 0);
    }
    return (snd_pcm_sframes_t)((pcm->captured - pcm->start + pcm->boundary - backward) % pcm->boundary);
}

static int meet_transfer_faults(struct numbered_pcm *pcm) {
    struct numbered_trouble *trouble = &pcm->trouble;
    uint64_t hang = trouble->transfer_hang;
    trouble->transfer_hang = 0;
    if (hang) numbered_hang(&pcm->settings.script, hang);
    return numbered_takes(&trouble->transfer_errors, numbered_now()) ? trouble->transfer_error : 0;
}

/// What the buffer would hold: where the reader is late, newer frames stand in the place of those it has missed.
static snd_pcm_sframes_t transfer(snd_pcm_ioplug_t *io, const snd_pcm_channel_area_t *areas, snd_pcm_uframes_t offset,
                                  snd_pcm_uframes_t size) {
    struct numbered_pcm *pcm = pcm_of(io);
    int status = meet_transfer_faults(pcm);
    if (status < 0) return status;
    const struct numbered_format *format = numbered_format_of(io->format);
    const struct numbered_trouble *trouble = &pcm->trouble;
    uint64_t there = numbered_waiting(pcm), oldest = pcm->captured - there;
    for (uint64_t index = 0; index < size; index++) {
        uint64_t overwritten = index < there ? (there - 1 - index) / io->buffer_size * io->buffer_size : 0;
        uint64_t frame = oldest + index + overwritten, position = pcm->passed + frame;
        if (position >= trouble->zeros_begin && position < trouble->zeros_end)
            numbered_write_silence(format, io->channels, areas, offset + index);
        else
            numbered_write_frame(pcm->settings.first_frame + frame, format, io->channels, areas, offset + index);
    }
    pcm->looks = 0;
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
    case SND_PCM_STATE_RUNNING:
        if (numbered_now() < pcm_of(io)->trouble.poll_error_until) *events = POLLERR;
        else *events = is_ready(pcm_of(io), 0) ? POLLIN : 0;
        break;
    case SND_PCM_STATE_DISCONNECTED: *events = POLLERR | POLLNVAL; break;
    case SND_PCM_STATE_PREPARED:
    case SND_PCM_STATE_PAUSED: *events = 0; break;
    default: *events = POLLIN | POLLERR; break;
    }
    return 0;
}

static int close_pcm(snd_pcm_ioplug_t *io) {
    struct numbered_pcm *pcm = pcm_of(io);
    enter(pcm, NUMBERED_AT_CLOSE);
    close(pcm->timer);
    numbered_free_settings(&pcm->settings);
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
    .resume = resume,
    .pointer = pointer,
    .transfer = transfer,
    .poll_revents = poll_revents,
    .close = close_pcm,
};
