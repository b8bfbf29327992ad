// A USB microphone in software: speaks the USB/IP protocol to the virtual host controller of the same kernel.
//
//   usb-microphone [-p PORT] [-i PRODUCT] [-s SERIAL] [-c CHANNELS] [-b BYTES] [-d PPM]
//
// PCM of CHANNELS channels with samples of BYTES bytes (2, 3 or 4), at 16000, 44100 or 48000 Hz. Every frame holds its
// own number, little endian, over its first four bytes and again from there on, so that a test sees each lost or
// repeated frame. Frames are numbered by the microphone's clock, which is PPM fast and runs whether or not somebody
// listens: what is not fetched is lost, and the numbers show how much. They begin as if it had run since the machine
// started, so they go on when it is unplugged and plugged in again.
//
// SIGUSR1 toggles "plugged in, but delivering nothing". SIGTERM unplugs it.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { packetMicroseconds = 1000, mostFramesInPacket = 49, gapMicroseconds = 100000 };
// Packets are handed over in fours.
enum { laterMicroseconds = 3000 };
enum { cmdSubmit = 1, cmdUnlink = 2, retSubmit = 3, retUnlink = 4 };

// What the options say.
static int channels = 2, sampleBytes = 2, product = 0x0101, ppm;
static const char *serial = "1";
static int frameBytes;

// ---- Descriptors

#define LE16(x) (x) & 255, (x) >> 8
#define LE24(x) (x) & 255, ((x) >> 8) & 255, (x) >> 16

static uint8_t deviceDescriptor[] = {18, 1, LE16(0x110), 0, 0, 0, 64, LE16(0x1d6b), LE16(0), LE16(0x100), 1, 2, 3, 1};

static uint8_t configuration[] = {
    9, 2, LE16(106), 2, 1, 0, 0x80, 50,
    9, 4, 0, 0, 0, 1, 1, 0, 0,                        // interface: audio control
    9, 0x24, 1, LE16(0x100), LE16(30), 1, 1,
    12, 0x24, 2, 1, LE16(0x201), 0, 0, LE16(0), 0, 0, // terminal 1: a microphone
    9, 0x24, 3, 2, LE16(0x101), 0, 1, 0,              // terminal 2: to USB
    9, 4, 1, 0, 0, 1, 2, 0, 0,                        // interface: streaming, off
    9, 4, 1, 1, 1, 1, 2, 0, 0,                        // interface: streaming, on
    7, 0x24, 1, 2, 1, LE16(1),
    17, 0x24, 2, 1, 0, 0, 0, 3, LE24(16000), LE24(44100), LE24(48000),
    9, 5, 0x81, 5, LE16(0), 1, 0, 0,                  // endpoint: isochronous, a packet a millisecond
    7, 0x25, 1, 1, 0, LE16(0)};
enum { atTerminal = 27, atFormat = 73, atEndpoint = 90 };
_Static_assert(sizeof configuration == 106, "what the first descriptor says");

static void describe(void) {
    deviceDescriptor[10] = product & 255, deviceDescriptor[11] = product >> 8;
    configuration[atTerminal + 7] = channels;
    configuration[atTerminal + 8] = channels == 2 ? 3 : 0;
    configuration[atFormat + 4] = channels;
    configuration[atFormat + 5] = sampleBytes;
    configuration[atFormat + 6] = 8 * sampleBytes;
    int bytes = mostFramesInPacket * frameBytes;
    configuration[atEndpoint + 4] = bytes & 255, configuration[atEndpoint + 5] = bytes >> 8;
}

// ---- The microphone's clock

static uint32_t rate = 48000, frame; // the number of the next frame
static uint64_t fraction;            // of it, in billionths
static uint64_t producedUntil;       // on the monotonic clock, in microseconds
static int isStopped = 1;

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000ull + time.tv_nsec / 1000;
}

// Frames of the next `packets` packets.
static uint32_t advance(uint64_t packets) {
    fraction += packets * rate * (1000000 + ppm);
    uint32_t count = fraction / 1000000000;
    fraction %= 1000000000;
    frame += count;
    return count;
}

// Nobody fetched for a while: what was due until now is lost, in whole packets.
static void skipToNow(void) {
    uint64_t time = now();
    if (time < producedUntil + (isStopped ? packetMicroseconds : gapMicroseconds)) return;
    uint64_t packets = (time - producedUntil) / packetMicroseconds;
    advance(packets);
    producedUntil += packets * packetMicroseconds;
}

static void beginCounting(void) {
    producedUntil = now();
    frame = producedUntil * rate / 1000000;
    fraction = 0;
}

static void setRate(uint32_t hertz) {
    if (hertz == rate) return;
    rate = hertz;
    beginCounting();
}

// ---- USB/IP

struct header {
    uint32_t command, sequence, device, direction, endpoint, a, length, c, packets, e;
    uint8_t setup[8];
};
struct packet { uint32_t offset, length, actual, status; };
struct request {
    struct header header;
    struct packet *packets;
    int count;
    struct request *next;
};

static int host;
static struct request *requests; // isochronous, in the order of their coming
static volatile sig_atomic_t isUnplugged, isStalled;
static uint8_t alternate;

static void onSignal(int number) {
    if (number == SIGUSR1) isStalled = !isStalled;
    else isUnplugged = 1;
}

// What came and was not looked at yet, and what is to go: few calls, as each costs under emulation.
static struct box { size_t start, end; uint8_t bytes[1 << 17]; } inbox, outbox;

static int receive(void *data, size_t length) {
    while (inbox.end - inbox.start < length) {
        memmove(inbox.bytes, inbox.bytes + inbox.start, inbox.end -= inbox.start);
        inbox.start = 0;
        ssize_t count = read(host, inbox.bytes + inbox.end, sizeof inbox.bytes - inbox.end);
        if (count < 0 && errno == EINTR && !isUnplugged) continue;
        if (count <= 0) return -1;
        inbox.end += count;
    }
    memcpy(data, inbox.bytes + inbox.start, length);
    inbox.start += length;
    return 0;
}

static int sendAll(void) {
    while (outbox.start < outbox.end) {
        ssize_t count = write(host, outbox.bytes + outbox.start, outbox.end - outbox.start);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return -1;
        outbox.start += count;
    }
    outbox.start = outbox.end = 0;
    return 0;
}

static int transmit(const void *data, size_t length) {
    if (length > sizeof outbox.bytes - outbox.end && sendAll()) return -1;
    memcpy(outbox.bytes + outbox.end, data, length);
    outbox.end += length;
    return 0;
}

static int reply(const struct header *to, int command, int status, const void *data, uint32_t length, int packets) {
    struct header answer = {.command = htonl(command), .sequence = to->sequence, .a = htonl(status)};
    if (command == retSubmit) answer.length = htonl(length), answer.c = to->c, answer.packets = htonl(packets);
    return transmit(&answer, sizeof answer) || (data && transmit(data, length)) ? -1 : 0;
}

static void discard(struct request *request) {
    free(request->packets);
    free(request);
}

static uint64_t due(const struct request *request) {
    return producedUntil + (uint64_t)request->count * packetMicroseconds;
}

// Answers the first isochronous request, whose time has come.
static int deliver(void) {
    static uint8_t bytes[1 << 16];
    struct request *request = requests;
    uint32_t length = 0;
    requests = request->next;
    producedUntil = due(request);
    for (int i = 0; i < request->count; i++) {
        uint32_t number = frame, count = advance(1), room = ntohl(request->packets[i].length) / frameBytes;
        if (isStalled) count = 0;
        if (count > room) count = room;
        if (length + count * frameBytes > sizeof bytes) count = 0;
        for (uint32_t end = number + count; number != end; number++)
            for (int byte = 0; byte < frameBytes; byte++) bytes[length++] = number >> 8 * (byte % 4);
        request->packets[i].actual = htonl(count * frameBytes);
        request->packets[i].status = 0;
    }
    int status = reply(&request->header, retSubmit, 0, bytes, length, request->count)
        || transmit(request->packets, request->count * sizeof *request->packets) ? -1 : 0;
    discard(request);
    return status;
}

static int queue(const struct header *header) {
    int count = ntohl(header->packets);
    struct request *request = calloc(1, sizeof *request), **end = &requests;
    if (!request || count <= 0 || count > 1024) return -1;
    *request = (struct request){.header = *header, .packets = calloc(count, sizeof(struct packet)), .count = count};
    if (!request->packets || receive(request->packets, count * sizeof(struct packet))) return -1;
    if (!requests) skipToNow();
    isStopped = 0;
    while (*end) end = &(*end)->next;
    *end = request;
    return 0;
}

static int withdraw(const struct header *header) {
    struct request **place = &requests;
    while (*place && (*place)->header.sequence != header->a) place = &(*place)->next;
    struct request *found = *place;
    if (found) {
        *place = found->next;
        discard(found);
        isStopped = 1;
    }
    return reply(header, retUnlink, found ? -ECONNRESET : 0, NULL, 0, 0);
}

static int control(const struct header *header) {
    const uint8_t *setup = header->setup;
    int isIn = setup[0] & 0x80, value = setup[2] | setup[3] << 8;
    uint32_t length = ntohl(header->length), count = 0;
    uint8_t data[256] = {0};
    if (length > sizeof data || (!isIn && receive(data, length))) return -1;
#define ANSWER(bytes, size) memcpy(data, bytes, count = (size))
    switch (setup[0] << 8 | setup[1]) {
    case 0x8006: // a descriptor
        if (value == 0x100) ANSWER(deviceDescriptor, sizeof deviceDescriptor);
        else if (value == 0x200) ANSWER(configuration, sizeof configuration);
        else if (value == 0x300) ANSWER("\4\3\11\4", 4);
        else if (value > 0x300 && value < 0x304) {
            const char *text = (const char *[]){"VoiceAudio", "Numbered frames", serial}[value - 0x301];
            for (count = 2; *text && count < 254; count += 2) data[count] = *text++;
            data[0] = count, data[1] = 3;
        } else return reply(header, retSubmit, -EPIPE, NULL, 0, 0);
        break;
    case 0x8000: case 0x8100: case 0x8200: ANSWER("\0\0", 2); break; // status
    case 0x8008: ANSWER("\1", 1); break;                             // configuration
    case 0x810a: ANSWER(&alternate, 1); break;
    case 0x010b: if (setup[4] == 1) alternate = value, isStopped = 1; break;
    case 0x0009: case 0x0001: case 0x0003: case 0x0201: break;
    case 0x2201: setRate(data[0] | data[1] << 8 | data[2] << 16); break;
    case 0xa281: ANSWER(((uint8_t[]){LE24(rate)}), 3); break;
    default: return reply(header, retSubmit, -EPIPE, NULL, 0, 0);
    }
    if (!isIn) return reply(header, retSubmit, 0, NULL, length, 0);
    return reply(header, retSubmit, 0, data, count < length ? count : length, 0);
}

static int serve(void) {
    struct header header;
    if (receive(&header, sizeof header)) return -1;
    if (ntohl(header.command) == cmdUnlink) return withdraw(&header);
    if (ntohl(header.command) != cmdSubmit) return -1;
    return ntohl(header.endpoint) == 0 ? control(&header) : queue(&header);
}

// Gives one end of a pair of sockets to the host controller.
static int plug(int port) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends)) return -1;
    FILE *file = fopen("/sys/devices/platform/vhci_hcd.0/attach", "w");
    int fullSpeed = 2;
    if (!file || fprintf(file, "%d %d %d %d", port, ends[1], port + 1, fullSpeed) < 0 || fclose(file)) return -1;
    close(ends[1]);
    host = ends[0];
    return 0;
}

int main(int count, char **arguments) {
    int port = 0;
    for (int option; (option = getopt(count, arguments, "p:i:s:c:b:d:")) != -1;) switch (option) {
        case 'p': port = atoi(optarg); break;
        case 'i': product = strtol(optarg, NULL, 0); break;
        case 's': serial = optarg; break;
        case 'c': channels = atoi(optarg); break;
        case 'b': sampleBytes = atoi(optarg); break;
        case 'd': ppm = atoi(optarg); break;
        default: return 2;
    }
    frameBytes = channels * sampleBytes;
    if (frameBytes < 2 || frameBytes * mostFramesInPacket > 1023) {
        fprintf(stderr, "usb-microphone: frames of %d bytes do not fit into a packet\n", frameBytes);
        return 2;
    }
    closefrom(3); // who plugged it in may wait for the end of what it gave its children
    describe();
    beginCounting();
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    struct sigaction action = {.sa_handler = onSignal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    if (plug(port)) {
        perror("usb-microphone: cannot plug in");
        return 1;
    }
    while (!isUnplugged) {
        while (requests && due(requests) <= now())
            if (deliver()) return 1;
        if (inbox.start == inbox.end) {
            if (sendAll()) return 1;
            struct timespec wait = {0, 0};
            if (requests) {
                uint64_t time = now(), until = due(requests) + laterMicroseconds;
                if (until > time) wait.tv_nsec = (until - time) * 1000;
            }
            int ready = ppoll(&(struct pollfd){host, POLLIN, 0}, 1, requests ? &wait : NULL, NULL);
            if (ready < 0 && errno != EINTR) return 1;
            if (ready <= 0) continue;
        }
        if (serve()) break;
    }
    return 0;
}
