# sounddevice-capture.py RATE CHANNELS PERIOD-FRAMES BUFFER-FRAMES [CYCLES]: captures 16 bits from the PCM `bench` in a
# callback until SIGTERM and prints how many frames came; or begins and ends so often, and prints what that took.
# Without numpy, so that its memory does not count.
import random
import signal
import sys
import threading
import time

began = time.monotonic_ns()
import sounddevice

rate, channels, period = map(int, sys.argv[1:4])
frame_count = 0
came = threading.Semaphore(0)


def take(data, frames, stream_time, status):
    global frame_count
    frame_count += frames


def take_and_tell(data, frames, stream_time, status):
    came.release()


def stream(callback):
    return sounddevice.RawInputStream(
        samplerate=rate, channels=channels, blocksize=period, latency=period / rate, dtype="int16",
        device="bench", callback=callback)


def tell(what, begin):
    print(what, time.monotonic_ns() - begin)


def let_pass():
    for _ in range(3):
        came.acquire()
    time.sleep(random.random() * 0.01)


def forget():
    while came.acquire(blocking=False):
        pass


def begin_and_end(opening, begin):
    capture = stream(take_and_tell)
    capture.start()
    came.acquire()
    tell(opening, begin)
    let_pass()
    begin = time.monotonic_ns()
    capture.stop()
    tell("stop", begin)

    forget()
    begin = time.monotonic_ns()
    capture.start()
    came.acquire()
    tell("start", begin)
    let_pass()
    begin = time.monotonic_ns()
    capture.stop()
    capture.close()
    tell("stop-and-close", begin)
    forget()
    # Until the sound server is as if nobody had captured.
    time.sleep(0.1 + random.random() * 0.05)


if len(sys.argv) == 6:
    begin_and_end("first-open", began)
    for _ in range(int(sys.argv[5]) - 1):
        begin_and_end("open", time.monotonic_ns())
else:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    with stream(take):
        signal.sigwait({signal.SIGTERM})
    print(frame_count)
