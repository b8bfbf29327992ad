import TestSupport
import VoiceAudio
import VoiceAudioCore

@testable import VoiceAudioMonitor

/// A server under test, and what it logs.
final class ServerBench {
    static let token = "0123456789abcdef"
    static let authorization = ["Authorization": "Bearer \(token)"]

    let clock = ManualClock()
    let log = LineLog()
    let server: MonitorServer

    /// - Parameter time: The server's clock; the bench's own if not given.
    init(
        _ routes: MonitorRoutes? = nil, endpoint: MonitorConfiguration.Endpoint = .tcp(address: "127.0.0.1", port: 0),
        token: String? = ServerBench.token, allowedHosts: Set<String> = [], limits: MonitorLimits = MonitorLimits(),
        time: (any AudioClock)? = nil
    ) throws {
        var small = MonitorRoutes()
        small.get["/hello"] = .now { _ in
            MonitorResponse(contentType: "text/plain; charset=utf-8", body: [UInt8]("hello".utf8))
        }
        small.post["/hello"] = .now { _ in
            MonitorResponse(contentType: "text/plain; charset=utf-8", body: [UInt8]("done".utf8))
        }
        server = MonitorServer(
            routes ?? small,
            configuration: MonitorConfiguration(endpoint: endpoint, token: token, allowedHosts: allowedHosts),
            limits: limits, logSink: log, clock: time ?? clock)
        try server.start()
    }

    deinit { server.stop(deadline: .seconds(60)) }

    func connect() throws -> HTTPClient { try HTTPClient(server.url ?? "") }

    /// Once this is over, the server is through with what was sent before: it has been round twice.
    func settle() throws { for _ in 0..<2 { _ = try connect().ask("GET", "/hello") } }
}

/// Keeps what is logged.
final class LineLog: AudioLogSink {
    private let kept = Lock<[String]>([])

    /// Level and message of each.
    var lines: [String] { kept.withLock { $0 } }

    func log(
        level: AudioLogLevel, message: @autoclosure () -> String, metadata: @autoclosure () -> [String: String],
        source: @autoclosure () -> String
    ) {
        let line = "\(level): \(message())"
        kept.withLock { $0.append(line) }
    }
}
