// libmicrohttpd, and the parts of it that Swift cannot call directly.
#ifndef VOICEAUDIO_CMICROHTTPD_SHIM_H
#define VOICEAUDIO_CMICROHTTPD_SHIM_H

#include <microhttpd.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>

// Swift's names of enumerators differ from one version of the library to the next.
static const enum MHD_Result CMICROHTTPD_YES = MHD_YES;
static const enum MHD_Result CMICROHTTPD_NO = MHD_NO;
static const enum MHD_ValueKind CMICROHTTPD_HEADERS = MHD_HEADER_KIND;
static const enum MHD_ValueKind CMICROHTTPD_ARGUMENTS = MHD_GET_ARGUMENT_KIND;
static const enum MHD_ResponseMemoryMode CMICROHTTPD_COPIED = MHD_RESPMEM_MUST_COPY;
static const enum MHD_ConnectionNotificationCode CMICROHTTPD_CLOSED = MHD_CONNECTION_NOTIFY_CLOSED;

// Who is told what the library has to say, by its one context.
struct cmicrohttpd_user {
    void *context;
    void (*log)(void *context, const char *message);
    MHD_AccessHandlerCallback handle;
    MHD_RequestCompletedCallback completed;
    MHD_NotifyConnectionCallback connected;
};

static inline void cmicrohttpd_log(void *context, const char *format, va_list arguments) {
    const struct cmicrohttpd_user *user = context;
    char text[240];
    if (vsnprintf(text, sizeof text, format, arguments) > 0) user->log(user->context, text);
}

// A daemon without a listening socket, a thread or timeouts of its own. `user` must outlive it. 0 where there is none.
static inline struct MHD_Daemon *cmicrohttpd_start(struct cmicrohttpd_user *user, unsigned connection_limit,
                                                   size_t connection_memory_limit) {
    struct MHD_OptionItem options[] = {
        {MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)cmicrohttpd_log, user},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)user->completed, user->context},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)user->connected, user->context},
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)connection_limit, 0},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)connection_memory_limit, 0},
        {MHD_OPTION_CONNECTION_TIMEOUT, 0, 0},
        {MHD_OPTION_STRICT_FOR_CLIENT, 1, 0},
        {MHD_OPTION_END, 0, 0},
    };
    return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0,
                            0, 0, user->handle, user->context, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

// What the info calls answer is a union, whose fields depend on the question.
static inline int cmicrohttpd_epoll_descriptor(struct MHD_Daemon *daemon) {
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
    return info ? info->epoll_fd : -1;
}
static inline int cmicrohttpd_connection_descriptor(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

// The address is not looked at: limits do not go by it.
static inline enum MHD_Result cmicrohttpd_add(struct MHD_Daemon *daemon, int connection) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    return MHD_add_connection(daemon, connection, (const struct sockaddr *)&address, sizeof address);
}

#endif
