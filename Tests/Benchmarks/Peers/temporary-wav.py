"""Writes temporary WAVs with tempfile and wave, and prints the seconds that each took.

    temporary-wav.py DIRECTORY FRAMES COUNT
"""
import sys
import tempfile
import time
import wave

directory, frames, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
samples = bytes(2 * frames)


def write():
    with tempfile.NamedTemporaryFile(suffix=".wav", dir=directory) as file:
        with wave.open(file, "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(16000)
            sound.writeframes(samples)


write()
start = time.perf_counter()
for _ in range(count):
    write()
print((time.perf_counter() - start) / count)
