// alsa-lib, and the parts of it that Swift cannot call directly.
#ifndef VOICEAUDIO_CALSA_SHIM_H
#define VOICEAUDIO_CALSA_SHIM_H

#include <alsa/asoundlib.h>

#endif
