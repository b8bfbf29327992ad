// What outlives one open of a PCM: how far its script is, how often it was called, and whether it is there.
//
// Kept for each name and script as long as the process lives, as a device is; behind one lock, as several may have the
// PCM open, and a thread that hangs in one must not keep the others from it.
#define _GNU_SOURCE
#include "NumberedPCM.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

struct numbered_history {
    struct numbered_history *next;
    char *name;
    struct numbered_script script;
    uint64_t position, gone_until;
    unsigned unplugs;
    uint64_t calls[NUMBERED_POINTS];
    /// Of each fault in the script: how often it has happened, and, in a call, for how much longer it does.
    struct {
        uint64_t times;
        struct numbered_span span;
    } progress[NUMBERED_MAX_FAULTS];
    uint64_t random_count;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct numbered_history *histories;
static pthread_once_t set_up_once = PTHREAD_ONCE_INIT;

static void take_lock(void) { pthread_mutex_lock(&lock); }

static void release_lock(void) { pthread_mutex_unlock(&lock); }

// --- Of which PCM

static void set_up(void) {
    // alsa-lib may unload a library that no PCM uses, which would forget, and leave a thread that hangs without code.
    Dl_info information;
    if (dladdr(&histories, &information)) dlopen(information.dli_fname, RTLD_NOLOAD | RTLD_NODELETE | RTLD_LAZY);
    // A fork while some capture's thread has the lock would find it taken for ever.
    pthread_atfork(take_lock, release_lock, release_lock);
}

static bool is_same(const struct numbered_script *one, const struct numbered_script *other) {
    return one->count == other->count && one->random_ms == other->random_ms && one->seed == other->seed
           && !memcmp(one->faults, other->faults, one->count * sizeof *one->faults);
}

struct numbered_history *numbered_history_of(const char *name, const struct numbered_script *script) {
    // Without one where the configuration has the PCM in place.
    if (!name) name = "";
    pthread_once(&set_up_once, set_up);
    take_lock();
    struct numbered_history *history = histories;
    while (history && (strcmp(history->name, name) || !is_same(&history->script, script))) history = history->next;
    if (!history && (history = calloc(1, sizeof *history))) {
        history->script = *script;
        // The PCM's own, which goes with it.
        history->script.release_file = NULL;
        history->name = strdup(name);
        history->next = histories;
        if (history->name) {
            histories = history;
        } else {
            free(history);
            history = NULL;
        }
    }
    release_lock();
    return history;
}

// --- Faults in calls

bool numbered_call_meets(struct numbered_history *history, enum numbered_point point, struct numbered_fault *met) {
    uint64_t now = numbered_now();
    bool does_meet = false;
    take_lock();
    uint64_t call = ++history->calls[point];
    for (unsigned index = 0; index < history->script.count && !does_meet; index++) {
        const struct numbered_fault *fault = &history->script.faults[index];
        if (fault->point != point) continue;
        bool begins = fault->is_repeated ? call % fault->place == 0 : call == fault->place;
        struct numbered_span *span = &history->progress[index].span;
        // How long an error lasts is for how many calls; how long a hang lasts is one call's.
        if (begins && fault->kind == NUMBERED_HANG) span->calls = 1;
        else if (begins) *span = numbered_span_of(fault, now, 0);
        does_meet = numbered_takes(span, now);
        if (does_meet) *met = *fault;
    }
    release_lock();
    return does_meet;
}

// --- Faults at frames

uint64_t numbered_position(struct numbered_history *history) {
    take_lock();
    uint64_t position = history->position;
    release_lock();
    return position;
}

/// Where the fault happens next.
static uint64_t next_place(const struct numbered_history *history, unsigned index) {
    const struct numbered_fault *fault = &history->script.faults[index];
    uint64_t times = history->progress[index].times;
    if (fault->point != NUMBERED_AT_FRAME) return NUMBERED_FOR_EVER;
    if (fault->is_repeated) return fault->place * (times + 1);
    return times ? NUMBERED_FOR_EVER : fault->place;
}

static uint64_t random_interval(const struct numbered_history *history, uint64_t rate) {
    return numbered_frames_in(history->script.random_ms, rate);
}

static uint64_t next_random_place(const struct numbered_history *history, uint64_t rate) {
    uint64_t interval = random_interval(history, rate);
    return interval ? interval * (history->random_count + 1) : NUMBERED_FOR_EVER;
}

uint64_t numbered_next_position(struct numbered_history *history, uint64_t rate, uint64_t position) {
    take_lock();
    if (position > history->position) history->position = position;
    uint64_t next = next_random_place(history, rate);
    for (unsigned index = 0; index < history->script.count; index++) {
        uint64_t place = next_place(history, index);
        if (place < next) next = place;
    }
    release_lock();
    return next;
}

bool numbered_take_fault(struct numbered_history *history, uint64_t rate, uint64_t position,
                         struct numbered_fault *fault) {
    bool is_due = false;
    take_lock();
    for (unsigned index = 0; index < history->script.count && !is_due; index++) {
        if (next_place(history, index) > position) continue;
        is_due = true;
        *fault = history->script.faults[index];
        // Where several were missed, as in a gap, they are one.
        history->progress[index].times = fault->is_repeated ? position / fault->place : 1;
    }
    if (!is_due && next_random_place(history, rate) <= position) {
        is_due = true;
        *fault = numbered_random_fault(history->script.seed, history->random_count);
        history->random_count = position / random_interval(history, rate);
    }
    release_lock();
    return is_due;
}

// --- Being there

void numbered_unplug(struct numbered_history *history, uint64_t until) {
    take_lock();
    history->unplugs++;
    history->gone_until = until;
    release_lock();
}

unsigned numbered_unplugs(struct numbered_history *history) {
    take_lock();
    unsigned unplugs = history->unplugs;
    release_lock();
    return unplugs;
}

bool numbered_is_unplugged(struct numbered_history *history) {
    take_lock();
    bool is_unplugged = numbered_now() < history->gone_until;
    release_lock();
    return is_unplugged;
}
