// What a frame holds: a pure function of its number, the channel and the format.
//
// With W bits of sample, K and C the first W bits of the constants below, all modulo 2 to the W:
//
//     sample = number × (K + 2 × floor(number ÷ 2^W)) + channel × C
//
// K is odd, so that each number below 2^W has a sample of its own and every bit of the sample takes part; the
// difference of two successive samples tells which 2^W frames they are of. C keeps channels apart.
#include "NumberedPCM.h"

#include <string.h>

#define FRAME_FACTOR 0x9E3779B1u
#define CHANNEL_FACTOR 0xA54FF53Bu

const struct numbered_format numbered_formats[NUMBERED_MAX_FORMATS] = {
    { SND_PCM_FORMAT_S16_LE, 16, 2 },
    { SND_PCM_FORMAT_S24_3LE, 24, 3 },
    { SND_PCM_FORMAT_S24_LE, 24, 4 },
    { SND_PCM_FORMAT_S32_LE, 32, 4 },
    { SND_PCM_FORMAT_FLOAT_LE, 24, 4 },
};

const struct numbered_format *numbered_format_of(snd_pcm_format_t format) {
    for (unsigned index = 0; index < NUMBERED_MAX_FORMATS; index++)
        if (numbered_formats[index].format == format) return &numbered_formats[index];
    return NULL;
}

/// The sample, signed.
static int32_t sample(uint64_t number, unsigned channel, unsigned bits) {
    uint64_t factor = (FRAME_FACTOR >> (32 - bits)) + 2 * (number >> bits);
    uint64_t value = number * factor + (uint64_t)channel * (CHANNEL_FACTOR >> (32 - bits));
    // From the top of the word down again: the sign is in all bits above the sample, so also in S24_LE's fourth byte.
    return (int32_t)((uint32_t)value << (32 - bits)) >> (32 - bits);
}

static uint8_t *sample_bytes(const snd_pcm_channel_area_t *area, snd_pcm_uframes_t place) {
    return (uint8_t *)area->addr + (area->first + area->step * place) / 8;
}

void numbered_write_frame(uint64_t number, const struct numbered_format *format, unsigned channel_count,
                          const snd_pcm_channel_area_t *areas, snd_pcm_uframes_t place) {
    for (unsigned channel = 0; channel < channel_count; channel++) {
        uint8_t *bytes = sample_bytes(&areas[channel], place);
        int32_t value = sample(number, channel, format->bits);
        uint32_t word = (uint32_t)value;
        if (format->format == SND_PCM_FORMAT_FLOAT_LE) {
            // Exact: 24 bits fit a float.
            float fraction = (float)value / 8388608.0f;
            memcpy(&word, &fraction, sizeof word);
        }
        for (unsigned index = 0; index < format->bytes; index++) bytes[index] = (uint8_t)(word >> (8 * index));
    }
}

void numbered_write_silence(const struct numbered_format *format, unsigned channel_count,
                            const snd_pcm_channel_area_t *areas, snd_pcm_uframes_t place) {
    for (unsigned channel = 0; channel < channel_count; channel++)
        memset(sample_bytes(&areas[channel], place), 0, format->bytes);
}
