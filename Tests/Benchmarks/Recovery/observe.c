// observe EVENT NAME PROGRAM...: has a program record from the kernel tests' microphone, stereo at 48 kHz, to its
// standard output; does to one or the other what EVENT says, and undoes it; and tells as a row of a table how the
// program took it.
//
//   unplug    the microphone is unplugged, and plugged in again after 3 s
//   stall     the microphone delivers nothing for 3 s
//   suspend   the machine sleeps for 1 s
//   overrun   the program is stopped for 1 s
//
// A frame's number is the time when it was captured, so what comes out tells by itself what is missing and how late it
// is.
// What the program says on standard error is shown with its time, in milliseconds after the event began.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { rate = 48000 };
static const char *const plugged = "/proc/asound/Mic";

static int fail(const char *what) {
    fprintf(stderr, "observe: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

// ---- The program

static pid_t program;
static int frames[2], words[2]; // its standard output and error

static void start(char **arguments) {
    if (pipe2(frames, O_CLOEXEC) || pipe2(words, O_CLOEXEC)) fail("pipe");
    program = fork();
    if (program < 0) fail("fork");
    if (program == 0) {
        dup2(frames[1], 1), dup2(words[1], 2);
        execvp(*arguments, arguments);
        fail(*arguments);
    }
    close(frames[1]), close(words[1]);
}

// Seconds of a processor that its threads have used.
static double processorTime(void) {
    char path[320];
    snprintf(path, sizeof path, "/proc/%d/task", program);
    DIR *tasks = opendir(path);
    if (!tasks) return 0;
    double sum = 0, nanoseconds;
    for (struct dirent *task; (task = readdir(tasks));) {
        snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", program, task->d_name);
        FILE *file = *task->d_name == '.' ? NULL : fopen(path, "r");
        if (!file) continue;
        if (fscanf(file, "%lf", &nanoseconds) == 1) sum += nanoseconds / 1e9;
        fclose(file);
    }
    closedir(tasks);
    return sum;
}

// ---- The events

static pid_t helper;

static void run(const char *command, const char *argument) {
    helper = fork();
    if (helper < 0) fail("fork");
    if (helper > 0) return;
    execlp(command, command, argument, NULL);
    fail(command);
}

static void signalMicrophone(int number) {
    FILE *file = fopen("/run/Mic.pid", "r");
    int id;
    if (!file || fscanf(file, "%d", &id) != 1 || kill(id, number)) fail("the microphone");
    fclose(file);
}

static void unplug(void) { signalMicrophone(SIGTERM); }
static void plug(void) { run("card-plug", "Mic"); }
static void toggleStall(void) { signalMicrophone(SIGUSR1); }
static void suspend(void) { run("sound-suspend", "1"); }
static void stop(void) { kill(program, SIGSTOP); }
static void resume(void) { kill(program, SIGCONT); }
static void nothing(void) {}

static const struct event {
    const char *name, *word; // a line that names it has that word
    double lasts;
    void (*begin)(void), (*end)(void);
} events[] = {
    {"unplug", "reconnecting", 3, unplug, plug},
    {"stall", "stalled", 3, toggleStall, toggleStall},
    {"suspend", "lost", 1, suspend, nothing},
    {"overrun", "lost", 1, stop, resume},
};

// ---- What comes out

static double begun, ended;                   // the cause; 0 before it has
static double named, flowing;                 // the first line that names it; the first frame captured after its end
static uint32_t newest;                       // the newest frame's number
static long frameCount, missing, told, flags; // frames since the beginning, missing since the cause, told of them

static int isNaming(const char *line, const char *word) { return strstr(line, word) || strstr(line, "overflow"); }

static void takeLine(const char *line, const char *word) {
    if (!begun) return;
    double at = now();
    if (!named && isNaming(line, word)) named = at;
    const char *lost = strstr(line, "lost ");
    long count = 0;
    if (lost && (sscanf(lost, "lost %ld", &count) == 1 || sscanf(lost, "lost about %ld", &count) == 1)) told += count;
    if (!strcmp(line, "input overflow")) flags++;
    printf("    %6.0f ms  %s\n", (at - begun) * 1000, line);
}

static int takeWords(const char *word) {
    static char line[4096];
    static size_t length;
    ssize_t count = read(words[0], line + length, sizeof line - 1 - length);
    if (count <= 0) return 0;
    length += count;
    for (char *end; (end = memchr(line, '\n', length)) || length == sizeof line - 1;) {
        if (!end) end = line + length;
        *end = 0;
        takeLine(line, word);
        size_t taken = end - line + (end < line + length);
        memmove(line, line + taken, length -= taken);
    }
    return 1;
}

static int takeFrames(void) {
    static uint8_t bytes[1 << 16];
    static size_t length;
    ssize_t count = read(frames[0], bytes + length, sizeof bytes - length);
    if (count <= 0) return 0;
    length += count;
    size_t place = 0;
    for (; place + 4 <= length; place += 4) {
        uint32_t number;
        memcpy(&number, bytes + place, 4);
        if (begun && frameCount) missing += (int32_t)(number - newest - 1);
        newest = number;
        frameCount++;
    }
    memmove(bytes, bytes + place, length -= place);
    if (ended && !flowing && newest / (double)rate > ended) flowing = now();
    return 1;
}

// Takes what comes until then, or until `isEnough`.
static void take(double until, const char *word, int (*isEnough)(void)) {
    struct pollfd sources[] = {{frames[0], POLLIN, 0}, {words[0], POLLIN, 0}};
    while (now() < until && !(isEnough && isEnough())) {
        double before = now();
        if (poll(sources, 2, 5) < 0 && errno != EINTR) fail("poll");
        // The machine slept, and has just come back.
        if (begun && !ended && helper && now() - before > 0.5) ended = now();
        if (sources[1].revents && !takeWords(word)) sources[1].fd = -1;
        if (sources[0].revents && !takeFrames()) sources[0].fd = -1;
    }
}

static int hasSecond(void) { return frameCount >= rate; }
static int isPlugged(void) { return access(plugged, F_OK) == 0; }
static int hasSlept(void) { return ended != 0; }
static int isGone(void) { return waitpid(program, NULL, WNOHANG) == program; }

static void cell(double milliseconds, int width) {
    if (milliseconds < 0) printf(" %*s", width, "never");
    else printf(" %*.0f", width, milliseconds);
}

int main(int count, char **arguments) {
    const struct event *event = NULL;
    for (size_t index = 0; count > 3 && index < sizeof events / sizeof *events; index++)
        if (!strcmp(arguments[1], events[index].name)) event = events + index;
    if (!event) return fprintf(stderr, "observe: unplug, stall, suspend or overrun; a name; a program\n"), 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    start(arguments + 3);
    take(now() + 30, event->word, hasSecond);
    if (!hasSecond()) return fprintf(stderr, "observe: %s does not record\n", arguments[2]), 1;

    double used = processorTime();
    begun = now();
    event->begin();
    if (event->begin == suspend) {
        take(begun + 20, event->word, hasSlept);
    } else {
        take(begun + event->lasts, event->word, NULL);
        event->end();
        if (event->end == plug) take(now() + 6, event->word, isPlugged);
        ended = now();
    }
    double percent = (processorTime() - used) / (ended - begun) * 100;
    take(ended + 3, event->word, NULL);
    // Who never recovers goes on paying.
    double over = now();
    if (!flowing) percent = (processorTime() - used) / (over - begun) * 100;
    if (!flowing) missing += (int32_t)((uint32_t)(over * rate) - newest);
    // Nobody runs while the machine sleeps, or while he is stopped.
    double couldName = event->begin == suspend || event->begin == stop ? ended : begun;

    printf("%-8s %-12s", event->name, arguments[2]);
    cell(named ? (named > couldName ? (named - couldName) * 1000 : 0) : -1, 8);
    printf(" %7.1f", percent);
    cell(flowing ? (flowing - ended) * 1000 : -1, 10);
    printf(" %8ld  ", missing);
    if (flags) printf("%ld flags\n", flags);
    else if (told) printf("%ld\n", told);
    else printf("-\n");
    begun = 0;
    kill(program, SIGTERM);
    take(now() + 2, event->word, isGone);
    kill(program, SIGKILL);
    if (helper) kill(helper, SIGKILL);
    while (wait(NULL) > 0) {}
    return 0;
}
