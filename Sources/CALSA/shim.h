// alsa-lib, and the parts of it that Swift cannot call directly.
#ifndef VOICEAUDIO_CALSA_SHIM_H
#define VOICEAUDIO_CALSA_SHIM_H

#include <alsa/asoundlib.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

// What alsa-lib would print to stderr, kept without allocating: the first messages, and in the last place the newest.
#define CALSA_KEPT_MESSAGES 8

struct calsa_messages {
    unsigned long count;
    snd_local_error_handler_t previous_handler;
    struct calsa_messages *previous;
    char text[CALSA_KEPT_MESSAGES][240];
};

// Where this thread's messages go. The variable is local to a function because Swift's importer emits no other kind.
static inline struct calsa_messages **calsa_current_messages(void) {
    static _Thread_local struct calsa_messages *current;
    return &current;
}

static inline void calsa_keep_message(const char *file, int line, const char *function, int error, const char *format,
                                      va_list arguments) {
    (void)file;
    (void)line;
    struct calsa_messages *messages = *calsa_current_messages();
    if (!messages) return;
    unsigned long place = messages->count++;
    if (place >= CALSA_KEPT_MESSAGES) place = CALSA_KEPT_MESSAGES - 1;
    char *text = messages->text[place];
    size_t room = sizeof messages->text[place], used = 0;
    int length = snprintf(text, room, "%s: ", function ? function : "alsa-lib");
    if (length > 0) used = (size_t)length < room ? (size_t)length : room - 1;
    length = vsnprintf(text + used, room - used, format, arguments);
    if (length > 0) used += (size_t)length < room - used ? (size_t)length : room - used - 1;
    if (error) snprintf(text + used, room - used, ": %s", snd_strerror(error));
}

// From now on this thread's messages go to `messages`. A handler that the host program set for the whole process
// comes before ours and keeps getting them.
static inline void calsa_begin_messages(struct calsa_messages *messages) {
    messages->count = 0;
    messages->previous = *calsa_current_messages();
    *calsa_current_messages() = messages;
    messages->previous_handler = snd_lib_error_set_local(calsa_keep_message);
}

// Puts back what was in place before, if `messages` is still this thread's newest.
static inline void calsa_end_messages(struct calsa_messages *messages) {
    if (*calsa_current_messages() != messages) return;
    *calsa_current_messages() = messages->previous;
    snd_lib_error_set_local(messages->previous_handler);
}

static inline const char *calsa_message(const struct calsa_messages *messages, unsigned long place) {
    return messages->text[place];
}

#endif
