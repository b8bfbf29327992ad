// Reads stereo frames of 16 bits, numbered by the kernel tests' microphone, from standard input, and prints how many
// are missing between them.
#include "CFrameNumbers.h"
#include <stdio.h>
#include <stdlib.h>

int main(void) {
    size_t room = 1 << 26, length;
    uint8_t *bytes = malloc(room);
    if (!bytes) return 1;
    length = fread(bytes, 1, room, stdin);
    long count = length / 4, missing = 0, gaps = 0;
    if (count == 0) return puts("nothing captured"), 1;
    for (long index = 0; (index = frame_number_gap(bytes, 4, count, index + 1)) < count; gaps++)
        missing += frame_number(bytes, 4, index) - frame_number(bytes, 4, index - 1) - 1;
    printf("lost %ld frames in %ld gaps\n", missing, gaps);
    return 0;
}
