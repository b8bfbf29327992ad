import VoiceAudioCore

/// Gives one stream of server-sent events to all who listen.
///
/// Each block is made once. A listener finishes the block that it is in, and goes on with the newest: whoever reads slowly
/// misses some, and nothing waits for anybody in memory.
///
/// > Concurrency: The server's thread only.
final class EventFan {
    private let feed: @Sendable () -> [UInt8]
    private let limits: MonitorLimits
    private var listeners: [ObjectIdentifier: Listener] = [:]
    private var nextTick: MonotonicInstant?
    private var lastTick: MonotonicInstant?
    /// The newest that was given to listeners, and when.
    private var latest: (block: [UInt8], time: MonotonicInstant)?

    init(_ feed: @escaping @Sendable () -> [UInt8], _ limits: MonitorLimits) {
        self.feed = feed
        self.limits = limits
    }

    var isFull: Bool { listeners.count >= limits.listeners }

    /// When there is something to do; `nil` while nobody listens.
    var nextDeadline: MonotonicInstant? { nextTick }

    /// Whoever comes gets the newest block at once, if there is one. The feed is not asked more often because of that, however
    /// many come and go.
    func add(_ exchange: HTTPExchange, at now: MonotonicInstant) -> any HTTPStream {
        let listener = Listener(exchange, at: now)
        listeners[ObjectIdentifier(exchange)] = listener
        if let latest { listener.offer(latest.block, at: now) }
        nextTick = nextTick ?? lastTick.map { max(now, $0.advanced(by: limits.eventInterval)) } ?? now
        return listener
    }

    func remove(_ exchange: HTTPExchange) {
        listeners[ObjectIdentifier(exchange)] = nil
        if listeners.isEmpty { (nextTick, latest) = (nil, nil) }
    }

    /// Gives everybody the next block, if it is time.
    ///
    /// - Returns: The descriptors of those who have taken nothing for too long.
    func tick(at now: MonotonicInstant) -> [Int32] {
        guard let due = nextTick, due <= now else { return [] }
        (lastTick, nextTick) = (now, now.advanced(by: limits.eventInterval))
        var block = feed()
        if block.isEmpty {
            let isSilent = latest.map { $0.time.advanced(by: limits.keepAliveInterval) <= now } ?? true
            if isSilent { block = [UInt8](": still here\n\n".utf8) }
        }
        if !block.isEmpty {
            latest = (block, now)
            for listener in listeners.values { listener.offer(block, at: now) }
        }
        return listeners.values.filter { $0.isStuck(since: now.advanced(by: .zero - limits.listenerTime)) }
            .map(\.descriptor)
    }

    /// Lets all go on, so that their connections can be closed.
    func resumeAll() { for listener in listeners.values { listener.resume() } }
}

/// One who listens.
private final class Listener: HTTPStream {
    private unowned let exchange: HTTPExchange
    private var current: ArraySlice<UInt8> = []
    private var newest: [UInt8] = []
    private var now: MonotonicInstant
    /// When it last took something, or had taken all that there was.
    private var lastTaken: MonotonicInstant

    init(_ exchange: HTTPExchange, at now: MonotonicInstant) {
        self.exchange = exchange
        (self.now, lastTaken) = (now, now)
    }

    var descriptor: Int32 { exchange.descriptor }

    func isStuck(since start: MonotonicInstant) -> Bool { lastTaken <= start }

    func offer(_ block: [UInt8], at now: MonotonicInstant) {
        self.now = now
        // Suspended is who has taken everything.
        if exchange.isSuspended { lastTaken = now }
        newest = block
        exchange.resume()
    }

    func resume() { exchange.resume() }

    func next(atMost count: Int) -> ArraySlice<UInt8> {
        if current.isEmpty {
            current = newest[...]
            newest = []
        }
        lastTaken = now
        let piece = current.prefix(count)
        current = current.dropFirst(count)
        return piece
    }
}
