// libsndfile as a C program uses it, and a temporary WAV by plain system calls. Samples are 16 bits, one channel.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include <sndfile.h>

// Writes a sound file, a block at a time. With care: its header is right after each block, where it is WAV, and it is
// on the disk on return. 0 if that worked.
int sound_write(
    const char *path, int is_flac, int rate, const int16_t *samples, long frames, long block_frames,
    int with_care) {
    SF_INFO info = {
        .samplerate = rate, .channels = 1, .format = (is_flac ? SF_FORMAT_FLAC : SF_FORMAT_WAV) | SF_FORMAT_PCM_16};
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    SNDFILE *sound = file < 0 ? NULL : sf_open_fd(file, SFM_WRITE, &info, SF_FALSE);
    if (!sound) return -1;
    if (with_care) sf_command(sound, SFC_SET_UPDATE_HEADER_AUTO, NULL, SF_TRUE);
    int status = 0;
    for (long done = 0; done < frames && status == 0; done += block_frames) {
        long count = frames - done < block_frames ? frames - done : block_frames;
        if (sf_writef_short(sound, samples + done, count) != count) status = -1;
    }
    if (sf_close(sound) != 0 || (with_care && fsync(file) != 0) || close(file) != 0) status = -1;
    return status;
}

// Whether a sound file has these samples and no others: 0 if so.
int sound_compare(const char *path, const int16_t *samples, long frames) {
    SF_INFO info = {0};
    SNDFILE *sound = sf_open(path, SFM_READ, &info);
    if (!sound) return -1;
    int16_t block[4096];
    long done = 0;
    for (long count; (count = sf_readf_short(sound, block, 4096)) > 0; done += count) {
        if (done + count > frames || memcmp(block, samples + done, count * sizeof *block) != 0) break;
    }
    sf_close(sound);
    return done == frames ? 0 : -1;
}

// Writes a WAV's header and samples to a temporary file in one system call, and removes it. 0 if that worked.
int temporary_write(const char *directory, int is_named, const void *header, const void *samples, long byte_count) {
    char path[4096];
    int file;
    if (is_named) {
        snprintf(path, sizeof path, "%s/plain-XXXXXX.wav", directory);
        file = mkostemps(path, 4, O_CLOEXEC);
    } else {
        file = open(directory, O_RDWR | O_TMPFILE | O_EXCL | O_CLOEXEC, 0600);
    }
    if (file < 0) return -1;
    struct iovec parts[] = {{(void *)header, 44}, {(void *)samples, byte_count}};
    int status = writev(file, parts, 2) == 44 + byte_count ? 0 : -1;
    close(file);
    if (is_named) unlink(path);
    return status;
}
