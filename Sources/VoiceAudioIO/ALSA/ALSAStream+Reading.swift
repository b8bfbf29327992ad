import Glibc
import VoiceAudioCore

extension ALSAStream {
    /// On a PCM that counts losses exactly, the order is: how much waits, skip what the hardware may be overwriting,
    /// read, and see that it did not overwrite what was being read.
    func read(into buffer: inout MutableRawSpan) throws(AudioError) -> CaptureRead {
        if missing > 0 { return tellMissing() }
        if isStalled { return try restartStalled() }
        if isAfterGap, let rest = restOfGap() { return rest }
        var limit = Int.max
        if report.countsLossExactly {
            // The clock first: were this thread kept waiting between the two, frames that wait would look missing.
            let askedAt = available == nil ? clock.now : nil
            let waiting = available ?? calls.avail(handle)
            guard waiting >= 0 else { return try stopped(Int32(clamping: waiting), .read) }
            if let lost = try lostBefore(reading: waiting, askedAt: askedAt) { return lost }
            limit = waiting
        }
        if let framesBeforeGap {
            guard framesBeforeGap > 0 else { return tellGap() }
            limit = min(limit, framesBeforeGap)
        }
        // What is left after a read and does not fill the chunk waits for the next wake-up. Were it taken, then the rest of the
        // chunk would be there a little before the device's next wake-up and be too little for it, and come with the one after.
        // So it is with what came between the start and the first read.
        if isJustStarted {
            isJustStarted = false
            let waiting = report.countsLossExactly ? limit : calls.avail(handle)
            if waiting > 0 { available = waiting }
        }
        let room = buffer.byteCount / report.format.bytesPerFrame
        guard available ?? room >= room, limit > 0 else {
            available = nil
            return .nothing
        }
        let count = reader.read(handle, into: &buffer, atMost: limit, calls: calls)
        guard count > 0 else { return try stopped(Int32(clamping: count), .read) }
        let (status, waiting, stamp) = calls.htimestamp(handle)
        let remaining = status < 0 ? 0 : min(waiting, report.bufferFrames)
        if report.countsLossExactly, status >= 0, isOverwritten(count, remaining: remaining) {
            return skipped(count)
        }
        return delivered(count, remaining: remaining, stamp: status < 0 ? 0 : stamp)
    }

    // MARK: Losses that are counted

    /// Skips what the hardware has overwritten, or is about to; finds by the clock what it never captured.
    ///
    /// - Parameter askedAt: When the device was asked what waits; `nil` where it was not asked for this read.
    private func lostBefore(reading waiting: Int, askedAt: MonotonicInstant?) throws(AudioError) -> CaptureRead? {
        // The hardware may be writing up to a period beyond where it says that it is. In a buffer of two periods that
        // would be so at every late wake: there it is taken to be half a period.
        let safe = report.bufferFrames - report.periodFrames
        if waiting > max(safe, (report.bufferFrames + report.periodFrames) / 2) {
            let excess = waiting - safe
            // A hundred times what the clock has for them is no count of frames: a pointer that ran backward, say.
            let due = max(0, frames(from: endOfFrames, to: clock.now))
            guard excess <= 100 * (due + Int(rate)), calls.forward(handle, frames: excess) == excess else {
                _ = calls.drop(handle)
                return try recover(from: .overrun, losing: .deviceOverrun)
            }
            available = waiting - excess
            return skipped(excess)
        }
        // A device may take its time to begin; once it has, it goes on.
        guard let askedAt, position > 0, framesBeforeGap == nil else { return nil }
        let gap = frames(from: endOfFrames, to: askedAt) - waiting
        // Hardware does not deliver late: what is due for so long was never captured.
        guard gap > max(2 * report.periodFrames, Int(rate) / 10), waiting > 0 else { return nil }
        available = waiting
        endOfFrames = MonotonicInstant(nanoseconds: askedAt.nanoseconds - nanoseconds(ofFrames: waiting))
        drift.restart()
        return lose(gap, .deviceGap, isExact: false)
    }

    /// Whether the hardware came round and wrote over frames while they were being read.
    private func isOverwritten(_ count: Int, remaining: Int) -> Bool {
        guard remaining + count > report.bufferFrames - report.periodFrames else { return false }
        let waiting = calls.avail(handle)
        available = max(0, waiting)
        return waiting + count > report.bufferFrames
    }

    /// Frames that went by, to the frame.
    private func skipped(_ count: Int) -> CaptureRead {
        framesBeforeGap = framesBeforeGap.map { max(0, $0 - count) }
        endOfFrames = MonotonicInstant(nanoseconds: endOfFrames.nanoseconds + nanoseconds(ofFrames: count))
        return lose(count, .deviceOverrun, isExact: true)
    }

    func lose(_ frames: Int, _ cause: AudioLoss.Cause, isExact: Bool) -> CaptureRead {
        guard frames > 0 else { return .nothing }
        position += frames
        return .lost(AudioLoss(frames: frames, cause: cause, isExact: isExact))
    }

    // MARK: Frames

    private func delivered(_ count: Int, remaining: Int, stamp: Int64) -> CaptureRead {
        available = remaining
        position += count
        isAfterGap = false
        if let before = framesBeforeGap {
            // They follow on what came before, whenever the device stamped; and are no sign that it lives.
            framesBeforeGap = max(0, before - count)
            captureTime = max(captureTime, endOfFrames)
            endOfFrames = MonotonicInstant(nanoseconds: captureTime.nanoseconds + nanoseconds(ofFrames: count))
            return .frames(count, captureTime: captureTime)
        }
        noteLife()
        // The last of the frames that wait had come when the device stamped; the first of ours, so much earlier as
        // they all last. Never backward, whatever the device says.
        // The age before the clock: were this thread kept waiting between the two, frames that are due would look older,
        // and as if others were missing.
        let age = timestamps.age(of: stamp, calls: calls) ?? 0
        let now = clock.now
        let stamped = MonotonicInstant(nanoseconds: now.nanoseconds - age)
        let start = stamped.nanoseconds - nanoseconds(ofFrames: count + remaining)
        captureTime = max(captureTime, MonotonicInstant(nanoseconds: start))
        endOfFrames = MonotonicInstant(nanoseconds: captureTime.nanoseconds + nanoseconds(ofFrames: count))
        drift.note(position: position + remaining, at: stamped)
        if !report.countsLossExactly { missing = deficit.note(frames: position + remaining, at: now) }
        return .frames(count, captureTime: captureTime)
    }

    private func tellMissing() -> CaptureRead {
        defer { missing = 0 }
        drift.restart()
        return lose(missing, .deviceGap, isExact: false)
    }
}
