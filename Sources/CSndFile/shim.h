// libsndfile.
#ifndef VOICEAUDIO_CSNDFILE_SHIM_H
#define VOICEAUDIO_CSNDFILE_SHIM_H

#include <sndfile.h>

#endif
