import VoiceAudioCore

/// What a ring should do, with a plain array and plain sums: nothing of how the ring does it.
struct RingModel {
    struct Entry {
        var sequenceNumber: Int
        var framePosition: Int
        var frameCount: Int
        var byteCount: Int
        /// Where in the test's material the bytes come from.
        var material: Int
        var captureTime: Int64
        /// What was lost right before this chunk and never reached the ring.
        var losses: Losses
    }

    /// Frames lost, by cause.
    struct Losses {
        var frames: [AudioLoss.Cause: Int] = [:]
        var isExact = true

        var sum: Int { frames.isEmpty ? 0 : frames.values.reduce(0, +) }

        mutating func add(_ cause: AudioLoss.Cause, _ count: Int, isExact: Bool = true) {
            guard count > 0 else { return }
            frames[cause, default: 0] += count
            self.isExact = self.isExact && isExact
        }

        mutating func add(_ other: Losses) {
            for (cause, count) in other.frames { add(cause, count) }
            isExact = isExact && other.isExact
        }

        /// Whether a ring may say this of the losses: all frames, whether they are exact, and a cause that is among the
        /// true ones; where most was lost right before the chunk, the worst cause there.
        func fits(_ told: AudioLoss?, nearest: Losses) -> Bool {
            guard let told else { return sum == 0 }
            guard told.frames == sum, told.isExact == isExact, frames[told.cause] != nil else { return false }
            return nearest.sum * 2 < sum || nearest.frames[told.cause] == nearest.frames.values.max()
        }
    }

    let maxChunks: Int
    let maxBytes: Int
    let overflow: OverflowPolicy
    let bytesPerFrame: Int
    let chunkLimit: Int

    var held: [Entry] = []
    var byteCount = 0
    var appended = AudioCount()
    var delivered = AudioCount()
    var evicted = AudioCount()
    var cleared = AudioCount()
    var refused: [RefusalReason: AudioCount] = [:]
    var peakChunks = 0
    var peakBytes = 0
    var isBorrowed = false
    private var sequenceNumber = 0
    private var framePosition = 0
    /// Lost since the newest chunk was stored.
    private(set) var untold = Losses()
    /// Lost since the last chunk was handed out, but not in the losses of a chunk that is still there.
    private var gone = Losses()

    init(
        maxChunks: Int, maxBytes: Int, overflow: OverflowPolicy, bytesPerFrame: Int, chunkLimit: Int
    ) {
        self.maxChunks = maxChunks
        self.maxBytes = maxBytes
        self.overflow = overflow
        self.bytesPerFrame = bytesPerFrame
        self.chunkLimit = chunkLimit
    }

    mutating func append(_ byteCount: Int, material: Int, captureTime: Int64) -> AppendResult {
        switch evictionsNeeded(for: byteCount) {
        case .failure(let refusal):
            let count = AudioCount(chunks: 1, frames: byteCount / bytesPerFrame, bytes: byteCount)
            refused[refusal.reason] = refused[refusal.reason, default: AudioCount()] + count
            untold.add(.ringRefused, count.frames)
            sequenceNumber += 1
            framePosition += count.frames
            return .refused(refusal.reason)
        case .success(let evictions):
            for _ in 0..<evictions {
                let entry = held.removeFirst()
                self.byteCount -= entry.byteCount
                evicted = evicted + count(of: entry)
                gone.add(entry.losses)
                gone.add(.ringEvicted, entry.frameCount)
            }
            let entry = Entry(
                sequenceNumber: sequenceNumber, framePosition: framePosition, frameCount: byteCount / bytesPerFrame,
                byteCount: byteCount, material: material, captureTime: captureTime, losses: untold)
            untold = Losses()
            sequenceNumber += 1
            framePosition += entry.frameCount
            held.append(entry)
            self.byteCount += byteCount
            appended = appended + count(of: entry)
            peakChunks = max(peakChunks, held.count)
            peakBytes = max(peakBytes, self.byteCount)
            return evictions == 0 ? .stored : .storedAfterEvicting(evictions)
        }
    }

    mutating func noteLoss(_ loss: AudioLoss) {
        guard loss.frames > 0 else { return }
        untold.add(loss.cause, loss.frames, isExact: loss.isExact)
        framePosition += loss.frames
    }

    /// Whether the header of the oldest chunk says what it should.
    func fits(_ header: AudioChunkHeader) -> Bool {
        guard let entry = held.first else { return false }
        var losses = gone
        losses.add(entry.losses)
        return header.sequenceNumber == entry.sequenceNumber && header.framePosition == entry.framePosition
            && header.frameCount == entry.frameCount && header.captureTime.nanoseconds == entry.captureTime
            && losses.fits(header.lossBefore, nearest: entry.losses)
    }

    mutating func takeOldest() {
        let entry = held.removeFirst()
        byteCount -= entry.byteCount
        delivered = delivered + count(of: entry)
        gone = Losses()
    }

    mutating func removeAll() -> Int {
        guard !isBorrowed else { return 0 }
        let removed = held.count
        for entry in held {
            cleared = cleared + count(of: entry)
            gone.add(entry.losses)
            gone.add(.cleanedUp, entry.frameCount)
        }
        held = []
        byteCount = 0
        return removed
    }

    private struct Refusal: Error { let reason: RefusalReason }

    private func count(of entry: Entry) -> AudioCount {
        AudioCount(chunks: 1, frames: entry.frameCount, bytes: entry.byteCount)
    }

    /// The documentation of ``OverflowPolicy``, word for word: the rule at the chunk cap first, then that at the byte
    /// cap with what would remain; where one refuses, nothing goes.
    private func evictionsNeeded(for byteCount: Int) -> Result<Int, Refusal> {
        func refuse(_ reason: RefusalReason) -> Result<Int, Refusal> { .failure(Refusal(reason: reason)) }
        if byteCount == 0 || byteCount % bytesPerFrame != 0 { return refuse(.partialFrame) }
        if byteCount > maxBytes { return refuse(.largerThanByteCap) }
        if chunkLimit > 0, byteCount > chunkLimit { return refuse(.largerThanChunkLimit) }
        var remaining = held.count
        var bytes = self.byteCount
        func dropOldest() {
            bytes -= held[held.count - remaining].byteCount
            remaining -= 1
        }
        if remaining == maxChunks {
            switch overflow.atChunkCap {
            case .dropOldest: dropOldest()
            case .dropNewest: return refuse(.chunkCap)
            case .keepNewestHalf: while remaining > maxChunks / 2 { dropOldest() }
            case .block: return refuse(.blockedTooLong)
            }
        }
        if bytes + byteCount > maxBytes {
            switch overflow.atByteCap {
            case .dropOldest: while bytes + byteCount > maxBytes { dropOldest() }
            case .dropNewest: return refuse(.byteCap)
            case .keepNewestHalf: while bytes > maxBytes / 2 || bytes + byteCount > maxBytes { dropOldest() }
            case .block: return refuse(.blockedTooLong)
            }
        }
        if remaining < held.count, isBorrowed { return refuse(.oldestBorrowed) }
        return .success(held.count - remaining)
    }
}
