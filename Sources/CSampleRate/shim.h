// libsamplerate.
#ifndef VOICEAUDIO_CSAMPLERATE_SHIM_H
#define VOICEAUDIO_CSAMPLERATE_SHIM_H

#include <samplerate.h>

#endif
