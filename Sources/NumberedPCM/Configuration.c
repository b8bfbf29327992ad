// The PCM's configuration: each field is checked, and what is wrong is told with field, value and what is accepted.
#include "NumberedPCM.h"

#include <limits.h>
#include <string.h>

// The bounds of each parameter, in both meanings: what may be set, and (rates apart) what there is where nothing is.
#define MOST_CHANNELS 32u
#define LOWEST_RATE 1000u
#define HIGHEST_RATE 768000u
#define SHORTEST_PERIOD 1u
#define LONGEST_PERIOD 65536u
#define SMALLEST_BUFFER 2u
#define LARGEST_BUFFER 262144u
#define FASTEST 10000.0

// --- Telling what is wrong

static int refuse(const char *field, snd_config_t *node, const char *accepted) {
    char *value = NULL;
    bool has_text = snd_config_get_ascii(node, &value) >= 0 && value;
    SNDERR("numbered: %s is %s; accepted: %s", field, has_text ? value : "a list or group", accepted);
    free(value);
    return -EINVAL;
}

// --- Values

static bool read_integer(snd_config_t *node, long long lowest, long long highest, long long *value) {
    long narrow;
    if (snd_config_get_integer(node, &narrow) >= 0) *value = narrow;
    else if (snd_config_get_integer64(node, value) < 0) return false;
    return *value >= lowest && *value <= highest;
}

/// A number, a list of numbers ([1 2]) or a range ({ min 1 max 8 }).
static int read_values(const char *field, snd_config_t *node, unsigned lowest, unsigned highest,
                       struct numbered_values *values) {
    char accepted[160];
    snprintf(accepted, sizeof accepted, "%u to %u; several as [ %u %u ] (%d at most) or { min %u max %u }", lowest,
             highest, lowest, highest, NUMBERED_MAX_VALUES, lowest, highest);
    long long value;
    *values = (struct numbered_values){ .is_range = false };
    if (snd_config_get_type(node) != SND_CONFIG_TYPE_COMPOUND) {
        if (!read_integer(node, lowest, highest, &value)) return refuse(field, node, accepted);
        values->list[values->count++] = (unsigned)value;
        return 0;
    }
    bool has_minimum = false, has_maximum = false;
    snd_config_iterator_t place, next;
    snd_config_for_each(place, next, node) {
        snd_config_t *entry = snd_config_iterator_entry(place);
        const char *id;
        if (snd_config_get_id(entry, &id) < 0) continue;
        if (!read_integer(entry, lowest, highest, &value)) return refuse(field, entry, accepted);
        if (!strcmp(id, "min")) {
            values->list[0] = (unsigned)value;
            has_minimum = true;
        } else if (!strcmp(id, "max")) {
            values->list[1] = (unsigned)value;
            has_maximum = true;
        } else if (strspn(id, "0123456789") == strlen(id) && values->count < NUMBERED_MAX_VALUES) {
            values->list[values->count++] = (unsigned)value;
        } else {
            return refuse(field, node, accepted);
        }
    }
    bool is_list = values->count > 0 && !has_minimum && !has_maximum;
    values->is_range = values->count == 0 && has_minimum && has_maximum && values->list[0] <= values->list[1];
    return is_list || values->is_range ? 0 : refuse(field, node, accepted);
}

static bool read_format(snd_config_t *node, struct numbered_settings *settings) {
    const char *name;
    if (snd_config_get_string(node, &name) < 0 || settings->format_count == NUMBERED_MAX_FORMATS) return false;
    const struct numbered_format *format = numbered_format_of(snd_pcm_format_value(name));
    if (!format) return false;
    settings->formats[settings->format_count++] = format->format;
    return true;
}

static int read_formats(const char *field, snd_config_t *node, struct numbered_settings *settings) {
    static const char accepted[] = "S16_LE, S24_3LE, S24_LE, S32_LE, FLOAT_LE; several as [ S16_LE S32_LE ]";
    settings->format_count = 0;
    if (snd_config_get_type(node) != SND_CONFIG_TYPE_COMPOUND)
        return read_format(node, settings) ? 0 : refuse(field, node, accepted);
    snd_config_iterator_t place, next;
    snd_config_for_each(place, next, node) {
        snd_config_t *entry = snd_config_iterator_entry(place);
        if (!read_format(entry, settings)) return refuse(field, entry, accepted);
    }
    return settings->format_count > 0 ? 0 : refuse(field, node, accepted);
}

static int read_speed(const char *field, snd_config_t *node, uint64_t *speed) {
    double factor;
    // The smallest is the unit it is kept in.
    if (snd_config_get_ireal(node, &factor) < 0 || !(factor == 0 || (factor >= 0.000001 && factor <= FASTEST)))
        return refuse(field, node, "0 (no clock: frames are there as they are read), or 0.000001 to 10000");
    *speed = (uint64_t)(factor * 1000000 + 0.5);
    return 0;
}

static int read_number(const char *field, snd_config_t *node, long long lowest, long long highest, uint64_t *number) {
    char accepted[64];
    snprintf(accepted, sizeof accepted, "%lld to %lld", lowest, highest);
    long long value;
    if (!read_integer(node, lowest, highest, &value)) return refuse(field, node, accepted);
    *number = (uint64_t)value;
    return 0;
}

static int read_fault(const char *field, snd_config_t *node, struct numbered_script *script) {
    const char *text;
    if (snd_config_get_string(node, &text) < 0 || script->count == NUMBERED_MAX_FAULTS)
        return refuse(field, node, "\"at FRAME FAULT\"; several as [ \"...\" \"...\" ] (64 at most)");
    return numbered_read_fault(text, &script->faults[script->count++]);
}

static int read_faults(const char *field, snd_config_t *node, struct numbered_script *script) {
    script->count = 0;
    if (snd_config_get_type(node) != SND_CONFIG_TYPE_COMPOUND) return read_fault(field, node, script);
    snd_config_iterator_t place, next;
    snd_config_for_each(place, next, node) {
        int status = read_fault(field, snd_config_iterator_entry(place), script);
        if (status < 0) return status;
    }
    return 0;
}

static int read_path(const char *field, snd_config_t *node, char **path) {
    const char *text;
    if (snd_config_get_string(node, &text) < 0 || text[0] != '/')
        return refuse(field, node, "a path that begins with /");
    free(*path);
    *path = strdup(text);
    return *path ? 0 : -ENOMEM;
}

static int read_field(const char *field, snd_config_t *node, struct numbered_settings *settings) {
    if (!strcmp(field, "formats")) return read_formats(field, node, settings);
    if (!strcmp(field, "channels")) return read_values(field, node, 1, MOST_CHANNELS, &settings->channels);
    if (!strcmp(field, "rates")) return read_values(field, node, LOWEST_RATE, HIGHEST_RATE, &settings->rates);
    if (!strcmp(field, "period_frames"))
        return read_values(field, node, SHORTEST_PERIOD, LONGEST_PERIOD, &settings->period_frames);
    if (!strcmp(field, "buffer_frames"))
        return read_values(field, node, SMALLEST_BUFFER, LARGEST_BUFFER, &settings->buffer_frames);
    if (!strcmp(field, "speed")) return read_speed(field, node, &settings->speed);
    if (!strcmp(field, "first_frame")) return read_number(field, node, 0, 1LL << 62, &settings->first_frame);
    struct numbered_script *script = &settings->script;
    if (!strcmp(field, "faults")) return read_faults(field, node, script);
    if (!strcmp(field, "release_file")) return read_path(field, node, &script->release_file);
    if (!strcmp(field, "fault_every_ms")) return read_number(field, node, 1, 86400000, &script->random_ms);
    if (!strcmp(field, "fault_seed")) return read_number(field, node, 0, LLONG_MAX, &script->seed);
    // These are alsa-lib's own.
    if (!strcmp(field, "type") || !strcmp(field, "comment") || !strcmp(field, "hint")) return 0;
    SNDERR("numbered: there is no field %s; there are: formats, channels, rates, period_frames, buffer_frames, speed, "
           "first_frame, faults, release_file, fault_every_ms, fault_seed",
           field);
    return -EINVAL;
}

// --- Frames in bytes

static void frame_sizes(const struct numbered_settings *settings, unsigned *smallest, unsigned *largest) {
    *smallest = UINT_MAX;
    *largest = 0;
    const struct numbered_values *channels = &settings->channels;
    // A range has its ends in the list.
    for (unsigned place = 0; place < (channels->is_range ? 2 : channels->count); place++)
        for (unsigned index = 0; index < settings->format_count; index++) {
            unsigned size = channels->list[place] * numbered_format_of(settings->formats[index])->bytes;
            if (size < *smallest) *smallest = size;
            if (size > *largest) *largest = size;
        }
}

/// alsa-lib keeps an I/O plugin's periods and buffers in bytes: in frames only where all have one size.
static int check_sizes(const struct numbered_settings *settings) {
    const struct numbered_values *periods = &settings->period_frames, *buffers = &settings->buffer_frames;
    unsigned smallest, largest;
    frame_sizes(settings, &smallest, &largest);
    if ((periods->count || periods->is_range || buffers->count || buffers->is_range) && smallest != largest) {
        SNDERR("numbered: period_frames and buffer_frames need frames of one size, but formats and channels allow "
               "%u to %u bytes; set formats and channels to one value each",
               smallest, largest);
        return -EINVAL;
    }
    // A buffer of two periods at least; whether it is a multiple, where both are lists, alsa-lib checks when set.
    if (!buffers->count && !buffers->is_range) return 0;
    unsigned shortest = SHORTEST_PERIOD, room = 0;
    if (periods->is_range) shortest = periods->list[0];
    for (unsigned place = 0; place < periods->count; place++)
        if (place == 0 || periods->list[place] < shortest) shortest = periods->list[place];
    if (buffers->is_range) room = buffers->list[1];
    for (unsigned place = 0; place < buffers->count; place++)
        if (buffers->list[place] > room) room = buffers->list[place];
    if (room < 2 * shortest) {
        SNDERR("numbered: buffer_frames is %u at most, which does not hold two periods of %u frames", room,
               shortest);
        return -EINVAL;
    }
    return 0;
}

// --- For others

int numbered_configure(struct numbered_settings *settings, snd_config_t *configuration) {
    static const unsigned usual_rates[] = { 8000,  11025, 16000, 22050, 24000,  32000,
                                            44100, 48000, 88200, 96000, 176400, 192000 };
    settings->speed = 1000000;
    for (unsigned index = 0; index < NUMBERED_MAX_FORMATS; index++)
        settings->formats[settings->format_count++] = numbered_formats[index].format;
    settings->channels = (struct numbered_values){ .is_range = true, .list = { 1, 2 } };
    settings->rates.count = sizeof usual_rates / sizeof *usual_rates;
    memcpy(settings->rates.list, usual_rates, sizeof usual_rates);
    snd_config_iterator_t place, next;
    snd_config_for_each(place, next, configuration) {
        snd_config_t *node = snd_config_iterator_entry(place);
        const char *field;
        if (snd_config_get_id(node, &field) < 0) continue;
        int status = read_field(field, node, settings);
        if (status < 0) return status;
    }
    return check_sizes(settings);
}

void numbered_free_settings(struct numbered_settings *settings) { free(settings->script.release_file); }

/// Sets a parameter to values, each times `low` (`high` for the end of a range).
static int set_values(snd_pcm_ioplug_t *io, int parameter, const struct numbered_values *values, unsigned low,
                      unsigned high) {
    if (values->is_range)
        return snd_pcm_ioplug_set_param_minmax(io, parameter, values->list[0] * low, values->list[1] * high);
    unsigned list[NUMBERED_MAX_VALUES];
    for (unsigned place = 0; place < values->count; place++) list[place] = values->list[place] * low;
    return snd_pcm_ioplug_set_param_list(io, parameter, values->count, list);
}

int numbered_constrain(snd_pcm_ioplug_t *io, const struct numbered_settings *settings) {
    static const unsigned accesses[] = { SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_ACCESS_RW_NONINTERLEAVED,
                                         SND_PCM_ACCESS_MMAP_INTERLEAVED, SND_PCM_ACCESS_MMAP_NONINTERLEAVED };
    static const struct numbered_values any_period = { .is_range = true, .list = { 16, LONGEST_PERIOD } };
    static const struct numbered_values any_buffer = { .is_range = true, .list = { 32, LARGEST_BUFFER } };
    const struct numbered_values *periods = &settings->period_frames, *buffers = &settings->buffer_frames;
    if (!periods->count && !periods->is_range) periods = &any_period;
    if (!buffers->count && !buffers->is_range) buffers = &any_buffer;

    unsigned formats[NUMBERED_MAX_FORMATS], smallest, largest;
    for (unsigned index = 0; index < settings->format_count; index++)
        formats[index] = (unsigned)settings->formats[index];
    frame_sizes(settings, &smallest, &largest);
    int status = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_ACCESS, sizeof accesses / sizeof *accesses,
                                               accesses);
    if (status >= 0)
        status = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_FORMAT, settings->format_count, formats);
    if (status >= 0) status = set_values(io, SND_PCM_IOPLUG_HW_CHANNELS, &settings->channels, 1, 1);
    if (status >= 0) status = set_values(io, SND_PCM_IOPLUG_HW_RATE, &settings->rates, 1, 1);
    if (status >= 0) status = set_values(io, SND_PCM_IOPLUG_HW_PERIOD_BYTES, periods, smallest, largest);
    if (status >= 0) status = set_values(io, SND_PCM_IOPLUG_HW_BUFFER_BYTES, buffers, smallest, largest);
    // Whole periods, two at least.
    if (status >= 0) status = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIODS, 2, LARGEST_BUFFER);
    return status;
}
