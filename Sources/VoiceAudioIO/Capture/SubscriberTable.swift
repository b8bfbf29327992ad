import Glibc
import Synchronization
package import VoiceAudioCore

/// The rings of up to 16 subscribers. The capture thread feeds them without waiting for anybody.
///
/// A place holds a reference, and a bit that says that the capture thread is using it. Whoever removes a subscriber
/// waits for that bit, the length of one append, and then releases the reference: the capture thread never frees. Those
/// who only want to know who is there ask a list of their own, so that the thread never finds the bit set.
package final class SubscriberTable: Sendable {
    /// The most subscribers at a time.
    package static let capacity = 16

    /// One subscriber's ring, with the producer's end that only the capture thread uses.
    package final class Feed: @unchecked Sendable {
        package let buffer: BoundedAudioBuffer
        private let failureLock = Lock<AudioError?>(nil)
        // Touched only by the capture thread, while the place's bit is set.
        fileprivate var producer: BoundedAudioBuffer.Producer
        fileprivate var hasJoined = false
        private var sampler: ChunkSampler?

        /// - Parameter interval: The capture time from one chunk that is fed to the next; `nil` feeds each. The ring must
        ///   have a format then.
        /// - Throws: `endTaken`.
        package init(_ buffer: BoundedAudioBuffer, oneEvery interval: Duration? = nil) throws(AudioError) {
            self.buffer = buffer
            if let interval, let format = buffer.format { sampler = ChunkSampler(interval: interval, format: format) }
            producer = try buffer.takeProducer()
        }

        /// What the capture failed with, once the ring is closed; `nil` where it did not.
        package var failure: AudioError? { failureLock.withLock { $0 } }

        /// Appends a chunk, or leaves it out where a sampler says so.
        fileprivate func append(_ bytes: RawSpan, captureTime: MonotonicInstant) {
            guard sampler?.wants(captureTime) ?? true else {
                return producer.skip(byteCount: bytes.byteCount)
            }
            // One that is refused, as the reader has the one before in its hands, leaves its turn to the next. In pieces: the
            // ring may have been made for smaller chunks, before a reconfiguration.
            if producer.appendInPieces(bytes, captureTime: captureTime).isStored {
                sampler?.noteTaken(captureTime, byteCount: bytes.byteCount)
            }
        }

        fileprivate func end(because failure: AudioError?) {
            failureLock.withLock { $0 = failure }
            buffer.close()
        }
    }

    /// 0, or a retained feed's address, with the lowest bit set while the capture thread uses it.
    private let places = InlineArray<16, Atomic<UInt>> { _ in Atomic(0) }
    /// The same for observers.
    private let present = Lock<[BoundedAudioBuffer]>([])
    private let owner = OwningProcess()

    package init() {}

    deinit { removeAll() }

    /// Adds a subscriber; it gets what is captured from now on.
    ///
    /// - Throws: `limitReached`.
    package func add(_ feed: Feed) throws(AudioError) {
        // SAFETY: the table owns this reference until it is removed.
        let address = UInt(bitPattern: unsafe Unmanaged.passRetained(feed).toOpaque())
        // Under the lock: else who removes it in this moment finds it in its place, and not yet in the list.
        let isAdded = present.withLock { present in
            for index in places.indices
            where places[index].compareExchange(expected: 0, desired: address, ordering: .releasing).exchanged {
                present.append(feed.buffer)
                return true
            }
            return false
        }
        if isAdded { return }
        unsafe Unmanaged.passUnretained(feed).release()
        throw AudioError(
            .limitReached, "\(Self.capacity) subscribers are there already, the most there can be: cancel one first")
    }

    /// Removes a subscriber and closes its ring; nothing happens if it is not there.
    package func remove(_ feed: Feed) {
        // SAFETY: the address is only compared.
        let address = UInt(bitPattern: unsafe Unmanaged.passUnretained(feed).toOpaque())
        for index in places.indices where places[index].load(ordering: .relaxed) & ~1 == address { remove(at: index) }
    }

    /// Removes all subscribers and closes their rings: nothing more will come.
    ///
    /// - Parameter failure: What ended the capture, if it failed.
    package func removeAll(because failure: AudioError? = nil) {
        for index in places.indices { remove(at: index, because: failure) }
    }

    private func remove(at index: Int, because failure: AudioError? = nil) {
        // In a fork nobody would take a bit back that was set.
        guard owner.isCurrent else { return }
        while true {
            let word = places[index].load(ordering: .acquiring)
            if word == 0 { return }
            if word & 1 == 0,
                places[index].compareExchange(expected: word, desired: 0, ordering: .acquiringAndReleasing).exchanged
            {
                // SAFETY: the reference that `add` retained; nobody else can reach it now.
                let feed = unsafe Unmanaged<Feed>.fromOpaque(UnsafeRawPointer(bitPattern: word)!).takeRetainedValue()
                feed.end(because: failure)
                present.withLock { present in present.removeAll { $0 === feed.buffer } }
                return
            }
            sched_yield()
        }
    }

    /// The subscribers' rings.
    package var buffers: [BoundedAudioBuffer] {
        // An array of its own: ThreadSanitizer does not see what keeps a shared one from being written while it is read.
        present.withLock { present in present.map { $0 } }
    }

    /// Appends a chunk to every subscriber's ring. By the capture thread.
    ///
    /// - Parameter numbers: Of this chunk: a subscriber that joins with it counts from there.
    package func append(
        _ bytes: RawSpan, numbers: (sequenceNumber: Int, framePosition: Int), captureTime: MonotonicInstant
    ) {
        for index in places.indices {
            withFeed(at: index) { feed in
                if !feed.hasJoined {
                    feed.hasJoined = true
                    feed.buffer.startNumbering(
                        atSequenceNumber: numbers.sequenceNumber, framePosition: numbers.framePosition)
                }
                feed.append(bytes, captureTime: captureTime)
            }
        }
    }

    /// Tells every subscriber that has joined of lost frames. By the capture thread.
    package func noteLoss(_ loss: AudioLoss) {
        for index in places.indices { withFeed(at: index) { if $0.hasJoined { $0.producer.noteLoss(loss) } } }
    }

    /// Uses a place's feed, if there is one. By the capture thread, which alone sets the bit: it never waits.
    private func withFeed(at index: Int, _ body: (Feed) -> Void) {
        let word = places[index].load(ordering: .relaxed)
        // Fails only where the feed was removed in this moment.
        guard word != 0,
            places[index].compareExchange(expected: word, desired: word | 1, ordering: .acquiring).exchanged
        else { return }
        // SAFETY: the set bit keeps the reference from being released, so that no count of our own is needed: one that
        // were given back a moment too late would have this thread free the feed.
        let feed = unsafe Unmanaged<Feed>.fromOpaque(UnsafeRawPointer(bitPattern: word)!)
        unsafe feed._withUnsafeGuaranteedRef { body($0) }
        places[index].store(word, ordering: .releasing)
    }
}
