import Glibc
import VoiceAudioCore

/// The server at work: one thread that accepts, reads, answers and sends, and never waits for a client.
final class MonitorMachine: HTTPDaemonUser {
    private let daemon: HTTPDaemon
    private let socket: ListeningSocket
    private let control: MonitorControl
    private let gate: RequestGate
    private let routes: MonitorRoutes
    private let fans: [String: EventFan]
    private let clock: any AudioClock
    private let logSink: CollapsingLogSink
    private var connections: ConnectionTable
    /// Whose request is worked for.
    private var working: HTTPExchange?
    /// Until when the system is not asked for another connection.
    private var acceptsAgain: MonotonicInstant?

    /// - Throws: `outOfResources`.
    init(
        socket: ListeningSocket, gate: RequestGate, routes: MonitorRoutes, limits: MonitorLimits,
        control: MonitorControl, clock: any AudioClock, logSink: CollapsingLogSink
    ) throws(AudioError) {
        daemon = try HTTPDaemon(connectionLimit: limits.connections, connectionBytes: limits.connectionBytes)
        (self.socket, self.gate, self.routes, self.control) = (socket, gate, routes, control)
        (self.clock, self.logSink) = (clock, logSink)
        connections = ConnectionTable(limits)
        fans = routes.get.compactMapValues { answer in
            guard case .events(let feed) = answer else { return nil }
            return EventFan(feed, limits)
        }
        daemon.user = self
    }

    /// Serves until it is told to stop.
    func run() {
        var descriptors = DescriptorSet(count: 3)
        descriptors.watch(control.wakeUp.descriptor, at: 0)
        descriptors.watch(daemon.descriptor, at: 1)
        while !control.isStopped {
            let now = clock.now
            descriptors.watch(canAccept(at: now) ? socket.descriptor : -1, at: 2)
            _ = clock.wait(for: descriptors, until: daemon.isDue ? now : nextDeadline(after: now))
            control.wakeUp.clear()
            finishWork()
            daemon.run()
            acceptAll()
            let later = clock.now
            for descriptor in fans.values.flatMap({ $0.tick(at: later) }) + connections.cutOffOverdue(at: later) {
                cutOff(descriptor)
            }
            daemon.run()
        }
        end()
    }

    private func end() {
        socket.close()
        // So that its client is told.
        working?.resume()
        working = nil
        daemon.run()
        // None may be suspended.
        for fan in fans.values { fan.resumeAll() }
        daemon.stop()
        // Its last lines, not held back until a next one that may not come.
        logSink.flush()
        logSink.log(level: .info, message: "the monitor has ended", metadata: ["url": socket.url], source: "VoiceAudio")
    }

    private func nextDeadline(after now: MonotonicInstant) -> MonotonicInstant? {
        // From when there is room, who arrives wakes us.
        let room = connections.roomFrom.flatMap { $0 > now ? $0 : nil }
        return (fans.values.map(\.nextDeadline) + [connections.nextDeadline, acceptsAgain, room]).compactMap { $0 }
            .min()
    }

    // MARK: - Connections

    private func canAccept(at now: MonotonicInstant) -> Bool {
        acceptsAgain == nil && connections.roomFrom.map { $0 <= now } ?? false
    }

    private func acceptAll() {
        let now = clock.now
        if let time = acceptsAgain, time <= now { acceptsAgain = nil }
        // A bounded number, so that those who are connected have their turn.
        for _ in 0..<64 where acceptsAgain == nil {
            if connections.isFull, socket.hasArrival { makeRoom(at: now) }
            guard !connections.isFull else { return }
            switch socket.accept() {
            case .none: return
            case .connection(let descriptor):
                connections.add(descriptor, at: now)
                if !daemon.add(descriptor) { connections.remove(descriptor) }
            case .failed(let error):
                acceptsAgain = now.advanced(by: .milliseconds(100))
                logSink.log(
                    level: .warning, message: "the monitor cannot take more connections",
                    metadata: ["error": "\(error)"], source: "VoiceAudio")
            }
        }
    }

    /// Whoever has a complete request by now keeps its place, for a while. Of the others those go who hung up, which the daemon
    /// does not see where it came right behind a part of a request; or else the slowest one.
    private func makeRoom(at now: MonotonicInstant) {
        daemon.run()
        guard connections.isFull else { return }
        var leaving = connections.cutOffGone(Self.hasHungUp)
        if leaving.isEmpty, let descriptor = connections.cutOffSlowest(at: now) { leaving = [descriptor] }
        for descriptor in leaving { cutOff(descriptor) }
        daemon.run()
    }

    private static func hasHungUp(_ descriptor: Int32) -> Bool {
        var byte: UInt8 = 0
        // SAFETY: the kernel writes within a local, which is not looked at.
        return unsafe recv(descriptor, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) == 0
    }

    /// The daemon sees to the rest, as if the client had gone.
    private func cutOff(_ descriptor: Int32) { shutdown(descriptor, Int32(SHUT_RDWR)) }

    func connectionEnded(_ descriptor: Int32) { connections.remove(descriptor) }

    // MARK: - Requests

    func headersCame(of exchange: HTTPExchange) {
        if let refusal = gate.refusal(of: exchange.request) {
            connections.note(.answering, of: exchange.descriptor, at: clock.now)
            return refuse(exchange, refusal)
        }
        // A body has its own time; but whoever only announces one has no more of a request than before.
        connections.note(.waiting, of: exchange.descriptor, at: clock.now)
    }

    func requestIsComplete(_ exchange: HTTPExchange) {
        guard !exchange.isAnswered else { return }
        connections.note(.answering, of: exchange.descriptor, at: clock.now)
        if let response = exchange.response { return exchange.send(response) }
        // Only whoever is told to go on at the server's end comes here a second time without an answer.
        guard !control.isStopped else {
            return refuse(exchange, MonitorResponse(status: 503, error: "the server ends: ask again when it is back"))
        }
        let request = exchange.request
        let methods = routes.methods(of: request.path)
        guard !methods.isEmpty else {
            let paths = Set(routes.get.keys).union(routes.post.keys).sorted().joined(separator: ", ")
            return refuse(exchange, MonitorResponse(status: 404, error: "there is no such path: accepted are \(paths)"))
        }
        guard methods.contains(request.method),
            let answer = request.method == "POST" ? routes.post[request.path] : routes.get[request.path]
        else {
            let accepted = methods.joined(separator: ", ")
            let refusal = MonitorResponse(
                status: 405, error: "the method is not accepted here: accepted are \(accepted)",
                headers: ["Allow": accepted])
            return refuse(exchange, refusal)
        }
        switch answer {
        case .now(let answer): exchange.send(answer(request))
        case .later(let answer): work(answer(request), for: exchange)
        case .events: listen(exchange)
        }
    }

    func exchangeEnded(_ exchange: HTTPExchange) {
        fans[exchange.request.path]?.remove(exchange)
        if working === exchange { working = nil }
        connections.note(.waiting, of: exchange.descriptor, at: clock.now)
    }

    private func refuse(_ exchange: HTTPExchange, _ response: MonitorResponse) {
        exchange.send(response)
        logSink.log(
            level: .warning, message: "the monitor refused a request", metadata: ["status": "\(response.status)"],
            source: "VoiceAudio")
    }

    // MARK: - What takes longer

    private func work(_ work: MonitorRoutes.Work, for exchange: HTTPExchange) {
        switch work {
        case .refused(let response): refuse(exchange, response)
        case .accepted(let work):
            if let refusal = control.begin(work) { return refuse(exchange, refusal) }
            working = exchange
            connections.note(.held, of: exchange.descriptor, at: clock.now)
            exchange.suspend()
        }
    }

    private func finishWork() {
        guard let response = control.takeResult(), let exchange = working else { return }
        working = nil
        exchange.response = response
        exchange.resume()
    }

    private func listen(_ exchange: HTTPExchange) {
        guard let fan = fans[exchange.request.path] else { return }
        let head = MonitorResponse(contentType: "text/event-stream", body: [])
        guard exchange.request.method == "GET" else { return exchange.send(head) }
        guard !fan.isFull else {
            let refusal = MonitorResponse(
                status: 503, error: "there are as many listeners as are accepted: ask again later",
                headers: ["Retry-After": "10"])
            return refuse(exchange, refusal)
        }
        let now = clock.now
        connections.note(.held, of: exchange.descriptor, at: now)
        exchange.send(fan.add(exchange, at: now), as: head)
    }

    func libraryLogged(_ message: String) {
        // One message, whatever it is about: clients must not decide how many there are.
        logSink.log(
            level: .debug, message: "a note of libmicrohttpd", metadata: ["note": KernelFiles.printable(message)],
            source: "libmicrohttpd")
    }
}
