// The language of faults:
//
//     (at | every) WHERE FAULT [in pointer | in transfer] [for LENGTH]
//
// One table knows the faults: what each takes, where it may happen, how long it may last.
#include "Faults.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST_FRAME (1ull << 62)
#define LONGEST_MS 86400000ull
#define MOST_CALLS 1000000000ull

// --- Words

/// A text, and the place up to which it has been read.
struct reader {
    const char *text, *place;
    char word[32];
};

static bool next_word(struct reader *reader) {
    reader->place += strspn(reader->place, " \t");
    size_t length = strcspn(reader->place, " \t");
    if (length == 0 || length >= sizeof reader->word) return false;
    memcpy(reader->word, reader->place, length);
    reader->word[length] = 0;
    reader->place += length;
    return true;
}

/// Reads the word if it comes next.
static bool skip_word(struct reader *reader, const char *word) {
    struct reader ahead = *reader;
    if (!next_word(&ahead) || strcmp(ahead.word, word)) return false;
    *reader = ahead;
    return true;
}

/// Reads a whole number within bounds if it comes next.
static bool skip_number(struct reader *reader, uint64_t lowest, uint64_t highest, uint64_t *number) {
    struct reader ahead = *reader;
    if (!next_word(&ahead) || strspn(ahead.word, "0123456789") != strlen(ahead.word)) return false;
    // What does not fit is the largest there is, and out of bounds.
    unsigned long long value = strtoull(ahead.word, NULL, 10);
    if (value < lowest || value > highest) return false;
    *number = value;
    *reader = ahead;
    return true;
}

static bool is_at_end(const struct reader *reader) { return reader->place[strspn(reader->place, " \t")] == 0; }

static int refuse(const struct reader *reader, const char *accepted) {
    int length = (int)(reader->place - reader->text);
    if (length == 0) SNDERR("numbered: faults is \"%s\"; accepted: %s", reader->text, accepted);
    else
        SNDERR("numbered: faults is \"%s\"; accepted after \"%.*s\": %s", reader->text, length, reader->text, accepted);
    return -EINVAL;
}

// --- What there is

static const char *const points[NUMBERED_POINTS] = {
    [NUMBERED_AT_OPEN] = "open",   [NUMBERED_AT_SETUP] = "setup", [NUMBERED_AT_PREPARE] = "prepare",
    [NUMBERED_AT_START] = "start", [NUMBERED_AT_STOP] = "stop",   [NUMBERED_AT_CLOSE] = "close",
};

static const struct {
    const char *name;
    int number;
} errors[] = {
    { "EIO", EIO },           { "ENODEV", ENODEV }, { "EBADFD", EBADFD }, { "EPIPE", EPIPE },
    { "ESTRPIPE", ESTRPIPE }, { "EAGAIN", EAGAIN }, { "EBUSY", EBUSY },   { "ENOENT", ENOENT },
    { "EACCES", EACCES },     { "ENOMEM", ENOMEM }, { "EINVAL", EINVAL },
};
static const char error_names[] = "EIO, ENODEV, EBADFD, EPIPE, ESTRPIPE, EAGAIN, EBUSY, ENOENT, EACCES, ENOMEM, EINVAL";

/// What may stand behind "for", and whether something must.
enum lengths {
    CALLS = 1,
    MS = 2,
    FRAMES = 4,
    TIME = MS | FRAMES,
    EVER = 8,
    NEEDED = 16,
};

static const struct fault_word {
    const char *name;
    enum numbered_kind kind;
    unsigned lengths;
    /// Without "for": so many calls, or for ever.
    uint64_t usual;
} fault_words[] = {
    { "xrun", NUMBERED_POINTER_ERROR, CALLS | TIME | EVER, 1 },
    { "error", NUMBERED_TRANSFER_ERROR, CALLS | TIME | EVER, 1 },
    { "hang", NUMBERED_POINTER_HANG, TIME | EVER | NEEDED, 0 },
    { "unplug", NUMBERED_UNPLUG, TIME | EVER, NUMBERED_FOR_EVER },
    { "suspend", NUMBERED_SUSPEND, CALLS | TIME | EVER, 0 },
    { "stall", NUMBERED_STALL, TIME | EVER | NEEDED, 0 },
    { "delay", NUMBERED_DELAY, TIME | NEEDED, 0 },
    { "freeze", NUMBERED_FREEZE, TIME | EVER | NEEDED, 0 },
    { "pollerr", NUMBERED_POLL_ERROR, TIME | EVER | NEEDED, 0 },
    { "short", NUMBERED_SHORT_READS, TIME | EVER | NEEDED, 0 },
    { "zeros", NUMBERED_ZEROS, TIME | EVER | NEEDED, 0 },
    { "backward", NUMBERED_BACKWARD, CALLS | TIME | EVER | NEEDED, 0 },
};
static const char fault_names[] =
    "xrun, error, hang, unplug, suspend, stall, delay, freeze, pollerr, short, zeros, backward";

static const struct fault_word *fault_word_of(const char *name) {
    for (size_t index = 0; index < sizeof fault_words / sizeof *fault_words; index++)
        if (!strcmp(fault_words[index].name, name)) return &fault_words[index];
    return NULL;
}

// --- Parts of a fault

static int read_place(struct reader *reader, struct numbered_fault *fault) {
    if (skip_word(reader, "every")) fault->is_repeated = true;
    else if (!skip_word(reader, "at")) return refuse(reader, "at or every");
    for (int point = NUMBERED_AT_OPEN; point < NUMBERED_POINTS; point++)
        if (skip_word(reader, points[point])) {
            fault->point = (enum numbered_point)point;
            fault->place = 1;
            skip_number(reader, 1, MOST_CALLS, &fault->place);
            return 0;
        }
    fault->point = NUMBERED_AT_FRAME;
    if (skip_number(reader, fault->is_repeated, LARGEST_FRAME, &fault->place)) return 0;
    return refuse(reader, "a frame (0 to 4611686018427387904, every from 1), or open, setup, prepare, start, stop, "
                          "close, each with or without which of them (1 to 1000000000)");
}

static int read_error(struct reader *reader, struct numbered_fault *fault) {
    for (size_t index = 0; index < sizeof errors / sizeof *errors; index++)
        if (skip_word(reader, errors[index].name)) {
            fault->error = -errors[index].number;
            return 0;
        }
    return refuse(reader, error_names);
}

/// At a frame, an error or a hang happens in one of two callbacks.
static int read_callback(struct reader *reader, struct numbered_fault *fault) {
    if (!skip_word(reader, "in")) return 0;
    bool is_pointer = skip_word(reader, "pointer");
    if (!is_pointer && !skip_word(reader, "transfer")) return refuse(reader, "pointer or transfer");
    if (fault->kind == NUMBERED_POINTER_HANG || fault->kind == NUMBERED_TRANSFER_HANG)
        fault->kind = is_pointer ? NUMBERED_POINTER_HANG : NUMBERED_TRANSFER_HANG;
    else fault->kind = is_pointer ? NUMBERED_POINTER_ERROR : NUMBERED_TRANSFER_ERROR;
    return 0;
}

static int read_call_fault(struct reader *reader, struct numbered_fault *fault) {
    // What these two answer, alsa-lib does not pass on.
    bool may_fail = fault->point != NUMBERED_AT_STOP && fault->point != NUMBERED_AT_CLOSE;
    if (skip_word(reader, "hang")) {
        fault->kind = NUMBERED_HANG;
        return 0;
    }
    if (!may_fail || !skip_word(reader, "error")) return refuse(reader, may_fail ? "error or hang" : "hang");
    fault->kind = NUMBERED_ERROR;
    return read_error(reader, fault);
}

static int read_frame_fault(struct reader *reader, const struct fault_word *word, struct numbered_fault *fault) {
    fault->kind = word->kind;
    switch (fault->kind) {
    case NUMBERED_POINTER_ERROR: fault->error = -EPIPE; return 0;
    case NUMBERED_TRANSFER_ERROR: {
        int status = read_error(reader, fault);
        return status < 0 ? status : read_callback(reader, fault);
    }
    case NUMBERED_POINTER_HANG: return read_callback(reader, fault);
    case NUMBERED_SHORT_READS:
    case NUMBERED_BACKWARD:
        return skip_number(reader, 1, 1000000, &fault->amount) ? 0 : refuse(reader, "frames, 1 to 1000000");
    default: return 0;
    }
}

static int read_length(struct reader *reader, unsigned lengths, uint64_t usual, struct numbered_fault *fault) {
    fault->unit = NUMBERED_CALLS;
    fault->length = usual;
    if (!(lengths & NEEDED) && is_at_end(reader)) return 0;
    char accepted[160];
    snprintf(accepted, sizeof accepted, "%sfor N ms (1 to 86400000)%s%s%s", lengths & NEEDED ? "" : "nothing, ",
             lengths & FRAMES ? ", for N frames" : "", lengths & CALLS ? ", for N calls" : "",
             lengths & EVER ? ", for ever" : "");
    struct reader ahead = *reader;
    if (!skip_word(&ahead, "for")) return refuse(reader, accepted);
    if ((lengths & EVER) && skip_word(&ahead, "ever")) {
        fault->length = NUMBERED_FOR_EVER;
    } else {
        if (!skip_number(&ahead, 1, LARGEST_FRAME, &fault->length)) return refuse(reader, accepted);
        bool is_known = true;
        if (skip_word(&ahead, "ms")) fault->unit = NUMBERED_MILLISECONDS;
        else if ((lengths & FRAMES) && skip_word(&ahead, "frames")) fault->unit = NUMBERED_FRAMES;
        else is_known = (lengths & CALLS) && skip_word(&ahead, "calls");
        if (!is_known || (fault->unit == NUMBERED_MILLISECONDS && fault->length > LONGEST_MS))
            return refuse(reader, accepted);
    }
    if (!is_at_end(&ahead)) return refuse(&ahead, "nothing");
    return 0;
}

// --- For others

int numbered_read_fault(const char *text, struct numbered_fault *fault) {
    struct reader reader = { .text = text, .place = text };
    // All of it: scripts are compared.
    memset(fault, 0, sizeof *fault);
    int status = read_place(&reader, fault);
    if (status < 0) return status;
    if (fault->point != NUMBERED_AT_FRAME) {
        status = read_call_fault(&reader, fault);
        bool hangs = fault->kind == NUMBERED_HANG;
        unsigned lengths = hangs ? MS | EVER | NEEDED : CALLS | MS | EVER;
        return status < 0 ? status : read_length(&reader, lengths, 1, fault);
    }
    struct reader ahead = reader;
    const struct fault_word *word = next_word(&ahead) ? fault_word_of(ahead.word) : NULL;
    if (!word) return refuse(&reader, fault_names);
    status = read_frame_fault(&ahead, word, fault);
    return status < 0 ? status : read_length(&ahead, word->lengths, word->usual, fault);
}
