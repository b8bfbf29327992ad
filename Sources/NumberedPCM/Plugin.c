// The entry point: alsa-lib looks for it by name in libasound_module_pcm_numbered.so.
#include "NumberedPCM.h"

#include <sys/timerfd.h>

/// What the script has in store for an open.
static int meet_faults(struct numbered_pcm *pcm, const char *name) {
    const struct numbered_script *script = &pcm->settings.script;
    if (!script->count && !script->random_ms) return 0;
    pcm->history = numbered_history_of(name, script);
    if (!pcm->history) return -ENOMEM;
    int status = numbered_enter(pcm->history, script, NUMBERED_AT_OPEN);
    if (status < 0) return status;
    pcm->unplugs = numbered_unplugs(pcm->history);
    return numbered_is_unplugged(pcm->history) ? -ENODEV : 0;
}

SND_PCM_PLUGIN_DEFINE_FUNC(numbered) {
    (void)root;
    if (stream != SND_PCM_STREAM_CAPTURE) {
        SNDERR("numbered: it captures only; open %s for capture", name);
        return -EINVAL;
    }
    struct numbered_pcm *pcm = calloc(1, sizeof *pcm);
    if (!pcm) return -ENOMEM;
    int status = numbered_configure(&pcm->settings, conf);
    if (status >= 0) status = meet_faults(pcm, name);
    if (status >= 0) {
        pcm->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
        if (pcm->timer < 0) status = -errno;
    }
    if (status < 0) {
        numbered_free_settings(&pcm->settings);
        free(pcm);
        return status;
    }
    pcm->armed_for = UINT64_MAX;
    // Before the software parameters are known; never 0, as positions are taken modulo.
    pcm->boundary = 1;

    pcm->io.version = SND_PCM_IOPLUG_VERSION;
    pcm->io.name = "VoiceAudio: numbered frames";
    // With positions up to the boundary, a reader that is late by whole buffers shows.
    pcm->io.flags = SND_PCM_IOPLUG_FLAG_MONOTONIC | SND_PCM_IOPLUG_FLAG_BOUNDARY_WA;
    pcm->io.poll_fd = pcm->timer;
    pcm->io.poll_events = POLLIN;
    pcm->io.callback = &numbered_callbacks;
    pcm->io.private_data = pcm;
    status = snd_pcm_ioplug_create(&pcm->io, name, stream, mode);
    if (status < 0) {
        numbered_callbacks.close(&pcm->io);
        return status;
    }
    status = numbered_constrain(&pcm->io, &pcm->settings);
    if (status < 0) {
        // Gives back all through the callback.
        snd_pcm_ioplug_delete(&pcm->io);
        return status;
    }
    *pcmp = pcm->io.pcm;
    return 0;
}

SND_PCM_PLUGIN_SYMBOL(numbered)
