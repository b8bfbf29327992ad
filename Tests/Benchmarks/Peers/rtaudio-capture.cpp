// rtaudio-capture RATE CHANNELS PERIOD-FRAMES BUFFER-FRAMES: captures 16 bits from the PCM `default` in a callback until
// SIGTERM and prints how many frames came. RtAudio finds no PCM but that one and those of cards.
#include <RtAudio.h>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

static long frameCount, sum;

static int take(void *, void *input, unsigned int count, double, RtAudioStreamStatus, void *) {
    frameCount += count;
    sum += *static_cast<const std::int16_t *>(input);
    return 0;
}

int main(int count, char **arguments) {
    if (count != 5) return 2;
    const unsigned rate = std::atoi(arguments[1]);
    unsigned period = std::atoi(arguments[3]);
    RtAudio audio(RtAudio::LINUX_ALSA);
    if (audio.getDeviceCount() == 0) return std::fprintf(stderr, "RtAudio finds no device\n"), 1;
    RtAudio::StreamParameters parameters;
    parameters.deviceId = audio.getDefaultInputDevice();
    parameters.nChannels = std::atoi(arguments[2]);
    RtAudio::StreamOptions options;
    options.numberOfBuffers = std::atoi(arguments[4]) / period;
    sigset_t signals;
    int number;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    try {
        audio.openStream(nullptr, &parameters, RTAUDIO_SINT16, rate, &period, take, nullptr, &options);
        audio.startStream();
        sigwait(&signals, &number);
        audio.stopStream();
    } catch (const RtAudioError &error) {
        return std::fprintf(stderr, "%s\n", error.what()), 1;
    }
    if (sum == 1) std::printf("silence\n");
    std::printf("%ld\n", frameCount);
    return 0;
}
