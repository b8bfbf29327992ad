// portaudio-many COUNT SECONDS: captures so many streams from the PCM `numbered`, 16 kHz mono, 16 bits, in chunks of
// 20 ms; each stream's callback keeps the newest 6 s. Prints what `bench-many --job` prints.
#include <portaudio.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { rate = 16000, chunkFrames = 320, historyChunks = 300, mostGap = 60 * rate };

struct capture {
    PaStream *stream;
    int16_t (*history)[chunkFrames];
    double *delays;  // Milliseconds, and what is the same for the whole stream.
    long chunks, frames, used, capacity, lost;
    uint32_t expected;
};

static atomic_bool isMeasuring;

static double seconds(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

// The number of the first of two successive frames; the inverse of an odd number by Newton's way.
static uint32_t frameNumber(uint16_t first, uint16_t second) {
    uint16_t factor = second - first, inverse = factor;
    for (int step = 0; step < 4; step++) inverse *= 2 - factor * inverse;
    return (uint32_t)((uint16_t)(factor - 0x9E37) / 2) << 16 | (uint16_t)(first * inverse);
}

static int take(const void *input, void *output, unsigned long count, const PaStreamCallbackTimeInfo *info,
                PaStreamCallbackFlags flags, void *context) {
    (void)output, (void)info, (void)flags;
    struct capture *capture = context;
    if (!input || count < 2 || count > chunkFrames) return paContinue;
    double now = seconds(CLOCK_MONOTONIC);
    int16_t *place = capture->history[capture->chunks % historyChunks];
    memcpy(place, input, count * sizeof *place);
    uint32_t number = frameNumber(place[0], place[1]);
    // Where frames were overwritten between the two that tell it, it is no number: then it is the chunk that is lost.
    long gap = capture->chunks++ ? (number - capture->expected) & (UINT32_MAX >> 1) : 0;
    long lost = gap < mostGap ? gap : (long)count;
    if (gap >= mostGap) number = capture->expected;
    capture->expected = number + count;
    capture->frames += count + (gap < mostGap ? gap : 0);
    if (!isMeasuring || capture->used == capture->capacity) return paContinue;
    capture->lost += lost;
    capture->delays[capture->used++] = 1000 * (now - (double)capture->frames / rate);
    return paContinue;
}

static int fail(const char *what, PaError status) {
    fprintf(stderr, "%s: %s\n", what, Pa_GetErrorText(status));
    return 1;
}

static double statusNumber(const char *key) {
    char line[256];
    double number = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (!strncmp(line, key, strlen(key))) number = atof(line + strlen(key));
    if (file) fclose(file);
    return number;
}

static int ascending(const void *left, const void *right) {
    double difference = *(const double *)left - *(const double *)right;
    return (difference > 0) - (difference < 0);
}

// By the nearest rank.
static double quantile(const double *sorted, long count, double part) {
    long rank = part * count;
    if (rank < part * count) rank++;
    return count ? sorted[rank - 1] : 0;
}

static PaError begin(struct capture *capture, double length, const PaStreamParameters *parameters) {
    capture->capacity = length * 60 + 60;
    capture->delays = malloc(capture->capacity * sizeof *capture->delays);
    memset(capture->delays, 1, capture->capacity * sizeof *capture->delays);  // So that they are resident from now on.
    capture->history = calloc(historyChunks, sizeof *capture->history);
    PaError status = Pa_OpenStream(&capture->stream, parameters, NULL, rate, chunkFrames, paNoFlag, take, capture);
    return status ? status : Pa_StartStream(capture->stream);
}

int main(int argumentCount, char **arguments) {
    if (argumentCount != 3) return 2;
    int count = atoi(arguments[1]);
    double length = atof(arguments[2]);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    PaError status = Pa_Initialize();
    if (status) return fail("initialize", status);
    // With more latency than three chunks it makes longer periods, and hands out several chunks at once.
    PaStreamParameters parameters = {.device = paNoDevice, .channelCount = 1, .sampleFormat = paInt16,
                                     .suggestedLatency = 0.06};
    for (int index = 0; index < Pa_GetDeviceCount(); index++)
        if (!strcmp(Pa_GetDeviceInfo(index)->name, "numbered")) parameters.device = index;
    if (parameters.device == paNoDevice) return fail("numbered", paInvalidDevice);
    struct capture *captures = calloc(count, sizeof *captures);
    for (int index = 0; index < count; index++)
        if ((status = begin(&captures[index], length, &parameters))) return fail("open", status);

    usleep(1e6 * length / 4);
    double processor = seconds(CLOCK_PROCESS_CPUTIME_ID), start = seconds(CLOCK_MONOTONIC);
    isMeasuring = true;
    usleep(1e6 * length);
    double percent = 100 * (seconds(CLOCK_PROCESS_CPUTIME_ID) - processor) / (seconds(CLOCK_MONOTONIC) - start);
    isMeasuring = false;
    double threads = statusNumber("Threads:"), resident = statusNumber("VmRSS:");

    long used = 0, lost = 0, own = 0;
    double held = 0;
    for (int index = 0; index < count; index++) {
        struct capture *capture = &captures[index];
        if ((status = Pa_AbortStream(capture->stream))) return fail("stop", status);
        used += capture->used, lost += capture->lost, own += capture->capacity * sizeof(double);
        held += (capture->chunks < historyChunks ? capture->chunks : historyChunks) * sizeof *capture->history / 1024.0;
    }
    double *all = malloc((used + 1) * sizeof *all), *end = all;
    for (int index = 0; index < count; index++) {
        // What is the same for the whole stream goes: its promptest chunk is not late.
        qsort(captures[index].delays, captures[index].used, sizeof(double), ascending);
        for (long place = 0; place < captures[index].used; place++)
            *end++ = captures[index].delays[place] - captures[index].delays[0];
    }
    qsort(all, used, sizeof *all, ascending);
    printf("%f %f %f %f %ld", percent, threads, resident - own / 1024.0, held, lost);
    printf(" %f %f %f\n", quantile(all, used, 0.5), quantile(all, used, 0.99), quantile(all, used, 1));
    return used ? 0 : fail("no chunk", paInternalError);
}
