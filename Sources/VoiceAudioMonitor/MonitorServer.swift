public import VoiceAudio
public import VoiceAudioCore

/// Serves what a ``SystemReporter`` knows over HTTP, on one thread of its own.
///
/// ```swift
/// let server = MonitorServer(reporter, configuration: MonitorConfiguration(token: token), logSink: sink)
/// try server.start()
/// print(server.url!)
/// ```
///
/// **Closed by default.** It listens nowhere before `start()`, then on the loopback. Elsewhere, and for every POST, it asks
/// for a token; browsers that were led to it by another name, and pages from elsewhere, are refused.
///
/// **Bounded.** 64 connections, 16 KiB of headers each, bodies of 1 KiB, 10 s for a request and its response, 8 listeners
/// to events. When all places are taken, whoever has been connected for 100 ms without a request, or for 1 s has not taken its
/// response, makes room for the next: so clients that are slow, or pretend to be, keep nobody out. A Unix socket stays open
/// to its owner whatever comes by network.
///
/// Nothing here waits for a client, or on the thread of a capture. In a fork of the process (without exec) it does not run.
///
/// > Concurrency: Safe from any thread.
///
/// > Real-time: Not safe: takes locks, makes system calls.
public final class MonitorServer: Sendable {
    private struct Running {
        let control: MonitorControl
        let thread: WorkerThread
        let url: String
    }

    private let configuration: MonitorConfiguration
    private let routes: MonitorRoutes
    private let limits: MonitorLimits
    private let logSink: CollapsingLogSink
    private let clock: any AudioClock
    private let running = Lock<Running?>(nil)
    private let owner = OwningProcess()

    /// Makes a server that does not listen yet.
    ///
    /// - Parameters:
    ///   - reporter: Whose reports are served.
    ///   - configuration: Where it listens, and whom it lets in; checked by `start()`.
    ///   - logSink: Where log lines go.
    ///   - clock: What its deadlines go by.
    public convenience init(
        _ reporter: SystemReporter, configuration: MonitorConfiguration = MonitorConfiguration(),
        logSink: any AudioLogSink = SilentLogSink(), clock: any AudioClock = SystemClock()
    ) {
        self.init(
            .all(of: reporter, clock: clock), configuration: configuration, limits: MonitorLimits(), logSink: logSink,
            clock: clock)
    }

    init(
        _ routes: MonitorRoutes, configuration: MonitorConfiguration, limits: MonitorLimits, logSink: any AudioLogSink,
        clock: any AudioClock
    ) {
        (self.routes, self.configuration, self.limits) = (routes, configuration, limits)
        // Clients decide how much there is to say. What the program collapses already is not counted twice.
        self.logSink = logSink as? CollapsingLogSink ?? CollapsingLogSink(logSink, clock: clock)
        self.clock = clock
    }

    deinit { stop() }

    /// Begins to listen.
    ///
    /// - Throws: ``AudioError`` with code `invalidConfiguration` where address, path or token is not accepted, or the token is
    ///   missing for an address that others can reach; `busy` where another program listens there; `permissionDenied`;
    ///   `outOfResources`; `invalidState` while it listens, and in a fork.
    public func start() throws(AudioError) {
        try owner.check("The monitor")
        let url = try running.withLock { (running) throws(AudioError) in
            if let running, !running.thread.hasEnded {
                throw AudioError(.invalidState, "the monitor listens already, on \(running.url)")
            }
            let gate = try makeGate()
            let socket = try ListeningSocket(configuration.endpoint)
            let control = try MonitorControl()
            // SAFETY: made here, and from here on only the new thread's.
            nonisolated(unsafe) let machine = try MonitorMachine(
                socket: socket, gate: gate, routes: routes, limits: limits, control: control, clock: clock,
                logSink: logSink)
            let url = socket.url
            let thread = try WorkerThread(name: "va-monitor", ask: { control.stop() }, body: { unsafe machine.run() })
            running = Running(control: control, thread: thread, url: url)
            return url
        }
        // Outside the lock: a sink may ask this server.
        logSink.log(level: .info, message: "the monitor listens", metadata: ["url": url], source: "VoiceAudio")
    }

    /// Where it listens, as a URL: `http://127.0.0.1:8080`, or `unix:` and the path; `nil` while it does not.
    public var url: String? {
        guard owner.isCurrent else { return nil }
        return running.withLock { running in running.flatMap { $0.thread.hasEnded ? nil : $0.url } }
    }

    /// Ends all connections, and listens no more. A second call does nothing.
    ///
    /// - Parameter deadline: Longest wait. A clean-up under way is waited for, too; its client is told that the server ends.
    /// - Returns: Whether its threads ended by `deadline`; those that did not are quarantined, and end by themselves.
    ///
    /// > Concurrency: Blocks.
    @discardableResult
    public func stop(deadline: Duration = .seconds(2)) -> Bool {
        guard owner.isCurrent, let ending = running.withLock({ $0.take() }) else { return true }
        // By the system's clock: a program, or a test, that stops time must not be kept waiting.
        let clock = SystemClock()
        let end = clock.now.advanced(by: deadline)
        ending.control.stop()
        let hasEnded = ending.thread.join(by: end, clock: clock)
        if !hasEnded { ending.thread.quarantine() }
        let workEnded = ending.control.joinWorker(by: end, clock: clock)
        return hasEnded && workEnded
    }

    private func makeGate() throws(AudioError) -> RequestGate {
        var token: BearerToken?
        if let text = configuration.token { token = try BearerToken(text) }
        switch configuration.endpoint {
        case .unixSocket:
            return RequestGate(
                token: token, isPublic: false, openPaths: routes.open, hosts: nil, limits: limits)
        case .tcp(let text, _):
            let isPublic = try !ListeningSocket.address(text).isLoopback
            guard !isPublic || token != nil else {
                throw AudioError(
                    .invalidConfiguration,
                    "the monitor has no token, and others can reach \(text): accepted without one are 127.0.0.1, ::1 and a Unix socket"
                )
            }
            let hosts = HostNames(address: text, allowed: configuration.allowedHosts)
            return RequestGate(
                token: token, isPublic: isPublic, openPaths: routes.open, hosts: hosts, limits: limits)
        }
    }
}
