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
    struct calsa_messages *next;
    char text[CALSA_KEPT_MESSAGES][240];
};

// Where this thread's messages go, the newest collector first, and the handler that the host had set for the thread.
struct calsa_thread {
    struct calsa_messages *messages;
    snd_local_error_handler_t host_handler;
};

// The variable is local to a function because Swift's importer emits no other kind.
static inline struct calsa_thread *calsa_this_thread(void) {
    static _Thread_local struct calsa_thread thread;
    return &thread;
}

static inline void calsa_keep_message(const char *file, int line, const char *function, int error, const char *format,
                                      va_list arguments) {
    (void)file;
    (void)line;
    struct calsa_messages *messages = calsa_this_thread()->messages;
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
    struct calsa_thread *thread = calsa_this_thread();
    if (!thread->messages) thread->host_handler = snd_lib_error_set_local(calsa_keep_message);
    messages->count = 0;
    messages->next = thread->messages;
    thread->messages = messages;
}

// Collectors end in any order; after the last one the host's handler is back.
static inline void calsa_end_messages(struct calsa_messages *messages) {
    struct calsa_thread *thread = calsa_this_thread();
    struct calsa_messages **place = &thread->messages;
    while (*place && *place != messages) place = &(*place)->next;
    if (!*place) return;
    *place = messages->next;
    if (!thread->messages) snd_lib_error_set_local(thread->host_handler);
}

static inline const char *calsa_message(const struct calsa_messages *messages, unsigned long place) {
    return messages->text[place];
}

#endif
