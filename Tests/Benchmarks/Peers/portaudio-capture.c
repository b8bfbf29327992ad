// portaudio-capture RATE CHANNELS PERIOD-FRAMES BUFFER-FRAMES [CYCLES]: captures 16 bits from the PCM `bench` in a
// callback until SIGTERM and prints how many frames came; or begins and ends so often, and prints what that took. The
// latency that it suggests is a period: with more, PortAudio makes periods of several and calls back in bursts.
#include <portaudio.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static PaStreamParameters parameters = {.device = paNoDevice, .sampleFormat = paInt16};
static int rate, periodFrames;
static long frameCount, sum;
static sem_t came;          // where somebody waits for each period
static int isAwaited;

static int take(const void *input, void *output, unsigned long count, const PaStreamCallbackTimeInfo *time,
                PaStreamCallbackFlags flags, void *context) {
    (void)output, (void)time, (void)flags, (void)context;
    frameCount += count;
    sum += *(const int16_t *)input;
    if (isAwaited) sem_post(&came);
    return paContinue;
}

static void check(PaError status, const char *what) {
    if (status == paNoError) return;
    fprintf(stderr, "%s: %s\n", what, Pa_GetErrorText(status));
    exit(1);
}

static PaStream *openStream(void) {
    PaStream *stream;
    check(Pa_OpenStream(&stream, &parameters, NULL, rate, periodFrames, paNoFlag, take, NULL), "open");
    return stream;
}

static long long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

// Three periods, and a part of one: calls come at any moment of it.
static void pass(void) {
    for (int count = 0; count < 3; count++) sem_wait(&came);
    usleep(rand() % 10000);
}

static void forget(void) {
    while (sem_trywait(&came) == 0) {}
}

// From nothing to the first callback, and to a stop; then the same with a stream that is open.
static void beginAndEnd(const char *opening, long long begin) {
    PaStream *stream = openStream();
    check(Pa_StartStream(stream), "start");
    sem_wait(&came);
    printf("%s %lld\n", opening, now() - begin);
    pass();
    begin = now();
    check(Pa_StopStream(stream), "stop");
    printf("stop %lld\n", now() - begin);

    forget();
    begin = now();
    check(Pa_StartStream(stream), "start");
    sem_wait(&came);
    printf("start %lld\n", now() - begin);
    pass();
    begin = now();
    check(Pa_StopStream(stream), "stop");
    check(Pa_CloseStream(stream), "close");
    printf("stop-and-close %lld\n", now() - begin);
    forget();
    usleep(100000 + rand() % 50000);        // until the sound server is as if nobody had captured
}

int main(int count, char **arguments) {
    if (count < 5) return 2;
    rate = atoi(arguments[1]);
    periodFrames = atoi(arguments[3]);
    parameters.channelCount = atoi(arguments[2]);
    parameters.suggestedLatency = (double)periodFrames / rate;
    long long begin = now();
    check(Pa_Initialize(), "initialize");
    for (int index = 0; index < Pa_GetDeviceCount() && parameters.device == paNoDevice; index++)
        if (!strcmp(Pa_GetDeviceInfo(index)->name, "bench")) parameters.device = index;
    check(parameters.device == paNoDevice ? paInvalidDevice : paNoError, "bench");
    if (count == 6) {
        isAwaited = 1;
        sem_init(&came, 0, 0);
        beginAndEnd("first-open", begin);
        for (int cycle = atoi(arguments[5]) - 1; cycle > 0; cycle--) beginAndEnd("open", now());
    } else {
        sigset_t signals;
        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        pthread_sigmask(SIG_BLOCK, &signals, NULL);
        PaStream *stream = openStream();
        check(Pa_StartStream(stream), "start");
        sigwait(&signals, &(int){0});
        check(Pa_StopStream(stream), "stop");
        if (sum == 1) printf("silence\n");
        printf("%ld\n", frameCount);
    }
    Pa_Terminate();
    return 0;
}
