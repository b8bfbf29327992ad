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
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
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

// Whether something printed earlier did not arrive.
static inline int clinux_output_has_failed(void) { return ferror(stdout); }

static inline int clinux_gettid(void) { return (int)syscall(SYS_gettid); }

// The name is cut at 15 bytes, the kernel's limit.
int pthread_setname_np(pthread_t thread, const char *name);

static inline int clinux_ppoll(struct pollfd *descriptors, unsigned long count, const struct timespec *timeout) {
    return (int)syscall(SYS_ppoll, descriptors, count, timeout, (void *)0, 0);
}

#endif
