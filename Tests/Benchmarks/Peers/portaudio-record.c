// portaudio-record DEVICE: records from the first device whose name begins so, stereo, 16 bits, 48 kHz, in periods of
// 10 ms with a buffer of 200 ms. Writes the frames to standard output, and to standard error what PortAudio tells, as
// it comes; ends with SIGTERM.
#include <portaudio.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { rate = 48000, mostFrames = 60 * rate };
static int32_t frames[mostFrames];
static atomic_long frameCount, overflowCount;
static volatile sig_atomic_t isOver;

static void end(int number) { (void)number, isOver = 1; }

static int take(const void *input, void *output, unsigned long count, const PaStreamCallbackTimeInfo *time,
                PaStreamCallbackFlags flags, void *context) {
    (void)output, (void)time, (void)context;
    if (flags & paInputOverflow) overflowCount++;
    if (!input || count > (unsigned long)(mostFrames - frameCount)) return paContinue;
    memcpy(frames + frameCount, input, count * 4);
    frameCount += count;
    return paContinue;
}

static int fail(const char *what, PaError status) {
    fprintf(stderr, "%s: %s\n", what, Pa_GetErrorText(status));
    return 1;
}

int main(int count, char **arguments) {
    if (count != 2) return 2;
    PaError status = Pa_Initialize();
    if (status) return fail("initialize", status);
    PaStreamParameters parameters = {.device = paNoDevice, .channelCount = 2, .sampleFormat = paInt16,
                                     .suggestedLatency = 0.2};
    for (int index = 0; index < Pa_GetDeviceCount() && parameters.device == paNoDevice; index++)
        if (!strncmp(Pa_GetDeviceInfo(index)->name, arguments[1], strlen(arguments[1]))) parameters.device = index;
    if (parameters.device == paNoDevice) return fail(arguments[1], paInvalidDevice);
    signal(SIGTERM, end);
    PaStream *stream;
    status = Pa_OpenStream(&stream, &parameters, NULL, rate, 480, paNoFlag, take, NULL);
    if (status) return fail("open", status);
    if ((status = Pa_StartStream(stream))) return fail("start", status);
    long writtenCount = 0, toldCount = 0;
    for (int wasActive = 1; !isOver;) {
        usleep(10000);
        for (; toldCount < overflowCount; toldCount++) fprintf(stderr, "input overflow\n");
        int isActive = Pa_IsStreamActive(stream) == 1;
        if (wasActive && !isActive) fprintf(stderr, "the stream ended\n");
        wasActive = isActive;
        long present = frameCount;
        writtenCount += fwrite(frames + writtenCount, 4, present - writtenCount, stdout);
        fflush(stdout);
    }
    fprintf(stderr, "%ld overflow flags, and no amount\n", toldCount);
    fflush(stderr);
    Pa_AbortStream(stream);
    Pa_Terminate();
    return 0;
}
