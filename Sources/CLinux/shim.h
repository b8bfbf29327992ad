// What the Glibc module lacks: calls hidden behind _GNU_SOURCE, and variadic ones.
//
// _GNU_SOURCE itself must not be defined here: it changes structures that the Glibc module shares.
#ifndef VOICEAUDIO_CLINUX_SHIM_H
#define VOICEAUDIO_CLINUX_SHIM_H

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

// Glibc's declarations depend on feature macros that Swift's importer does not set: the system calls are
// declared here under names of our own.

static inline int clinux_memfd_create(const char *name, unsigned flags) {
    return (int)syscall(SYS_memfd_create, name, flags);
}

// membarrier(2): the commands by their numbers, as its header is the kernel's.
#define CLINUX_MEMBARRIER_PRIVATE_EXPEDITED (1 << 3)
#define CLINUX_MEMBARRIER_REGISTER_PRIVATE_EXPEDITED (1 << 4)
static inline int clinux_membarrier(int command) { return (int)syscall(SYS_membarrier, command, 0, 0); }

#define CLINUX_MFD_CLOEXEC 0x0001U
#define CLINUX_MFD_ALLOW_SEALING 0x0002U
#define CLINUX_F_ADD_SEALS 1033
#define CLINUX_F_SEAL_SHRINK 0x0002
#define CLINUX_F_SEAL_GROW 0x0004
#define CLINUX_MADV_REMOVE 9
#define CLINUX_MADV_DONTFORK 10
#define CLINUX_MADV_DOFORK 11
static const int CLINUX_O_TMPFILE = 020000000 | O_DIRECTORY;
#define CLINUX_AT_FDCWD (-100)
#define CLINUX_AT_SYMLINK_FOLLOW 0x400

static inline int clinux_fcntl_int(int descriptor, int command, int argument) {
    return fcntl(descriptor, command, argument);
}

static inline int clinux_open(const char *path, int flags, unsigned mode) {
    return open(path, flags, mode);
}

static inline int clinux_openat(int directory, const char *path, int flags, unsigned mode) {
    return openat(directory, path, flags, mode);
}

// getopt_long(3) answers through variables, which Swift cannot know to be touched by one thread only.
static inline void clinux_getopt_restart(void) {
    optind = 0;
    opterr = 0;
}
static inline char *clinux_getopt_argument(void) { return optarg; }
static inline int clinux_getopt_index(void) { return optind; }
static inline int clinux_getopt_option(void) { return optopt; }

extern char **environ;
static inline char **clinux_environment(void) { return environ; }

#define CLINUX_F_SETSIG 10
#define CLINUX_F_SETLEASE 1024

static inline int clinux_pipe(int descriptors[2], int flags) {
    return (int)syscall(SYS_pipe2, descriptors, flags);
}

// Close-on-exec, and never waiting.
static inline int clinux_accept(int descriptor) {
    return (int)syscall(SYS_accept4, descriptor, (void *)0, (void *)0, O_CLOEXEC | O_NONBLOCK);
}

// In headers only from Linux 5.3 on; the number is the same on all architectures.
static inline int clinux_pidfd_open(int process) { return (int)syscall(434, process, 0); }

// To the process group of that number, also when its first process has been reaped; EINVAL before Linux 6.9.
static inline int clinux_pidfd_signal_group(int pidfd, int signal) {
    return (int)syscall(424, pidfd, signal, (void *)0, 1U << 2);
}

int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);

// Whether something printed earlier did not arrive.
static inline int clinux_output_has_failed(void) { return ferror(stdout); }

// Bytes that a pipe or socket has for reading; -1 where it does not tell.
static inline int clinux_bytes_waiting(int descriptor) {
    int count = 0;
    return ioctl(descriptor, FIONREAD, &count) == 0 ? count : -1;
}

// 0 where it is no terminal, or does not tell.
static inline unsigned clinux_terminal_columns(int descriptor) {
    struct winsize size = {0};
    return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static inline int clinux_gettid(void) { return (int)syscall(SYS_gettid); }

// The name is cut at 15 bytes, the kernel's limit.
int pthread_setname_np(pthread_t thread, const char *name);

static inline int clinux_ppoll(struct pollfd *descriptors, unsigned long count, const struct timespec *timeout) {
    return (int)syscall(SYS_ppoll, descriptors, count, timeout, (void *)0, 0);
}

#endif
