import CLinux
import Foundation
import Glibc
import Testing
import VoiceAudio
import VoiceAudioCore

@testable import VoiceAudioMonitor

/// Where a server listens, and where it does not.
@Suite(.timeLimit(.minutes(5))) struct ListeningTests {
    private func refusal(
        _ endpoint: MonitorConfiguration.Endpoint, token: String? = nil
    ) -> AudioError? {
        do {
            _ = try ServerBench(endpoint: endpoint, token: token)
            return nil
        } catch { return error as? AudioError }
    }

    @Test func itListensNowhereBeforeItStarts() throws {
        let server = MonitorServer(SystemReporter())
        #expect(server.url == nil)
        #expect(server.stop())
        try server.start()
        let url = try #require(server.url)
        #expect(url.hasPrefix("http://127.0.0.1:") && !url.hasSuffix(":0"))
        #expect(throws: AudioError.self) { try server.start() }
        #expect(server.stop(deadline: .seconds(60)) && server.url == nil)
        #expect(throws: (any Error).self) { try HTTPClient(url) }
        try server.start()
        #expect(try HTTPClient(server.url ?? "").ask("GET", "/healthz").status == 200)
        #expect(server.stop(deadline: .seconds(60)))
    }

    @Test func whatIsNotAcceptedIsSaid() throws {
        for address in ["localhost", "", "127.0.0", "127.0.0.1:80", "[::1]", "example.org", "fe80::1%eth0"] {
            let error = refusal(.tcp(address: address, port: 0))
            #expect(error?.code == .invalidConfiguration && error?.message.contains("\"\(address)\"") == true)
        }
        for address in ["0.0.0.0", "::", "192.0.2.1"] {
            let error = refusal(.tcp(address: address, port: 0))
            #expect(error?.code == .invalidConfiguration && error?.message.contains("token") == true)
        }
        #expect(refusal(.tcp(address: "192.0.2.1", port: 0), token: ServerBench.token)?.code == .invalidConfiguration)
        for token in ["", "short", "0123456789abcde f", "0123456789abcdeé", String(repeating: "x", count: 257)] {
            let error = refusal(.tcp(address: "127.0.0.1", port: 0), token: token)
            #expect(error?.code == .invalidConfiguration && error?.message.contains("16 to 256") == true)
        }
        #expect(refusal(.tcp(address: "127.0.0.1", port: 0), token: String(repeating: "x", count: 256)) == nil)
    }

    @Test func aPortThatIsTakenIsSaid() throws {
        let bench = try ServerBench()
        let port = try #require(bench.server.url.flatMap { URLComponents(string: $0)?.port })
        #expect(refusal(.tcp(address: "127.0.0.1", port: UInt16(port)))?.code == .busy)
        #expect(try bench.connect().ask("GET", "/hello").status == 200)
    }

    /// A fork of the process that lives on has the descriptor, too.
    @Test func itListensNoMoreWhoeverHasTheDescriptor() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        for endpoint in [MonitorConfiguration.Endpoint.tcp(address: "127.0.0.1", port: 0), .unixSocket(path: path)] {
            let socket = try ListeningSocket(endpoint)
            let forks = dup(socket.descriptor)
            defer { close(forks) }
            let url = socket.url
            _ = try HTTPClient(url)
            socket.close()
            #expect(throws: (any Error).self) { try HTTPClient(url) }
            guard let port = URLComponents(string: url)?.port else { continue }
            #expect(refusal(.tcp(address: "127.0.0.1", port: UInt16(port))) == nil)
        }
    }

    @Test func loopbackIsKnownInBothFamilies() {
        for address in ["127.0.0.1", "127.9.9.9", "::1"] { #expect(InternetAddress(address)?.isLoopback == true) }
        for address in ["0.0.0.0", "::", "128.0.0.1", "10.127.0.1", "::2", "1::1", "::ffff:10.0.0.1"] {
            #expect(InternetAddress(address)?.isLoopback == false)
        }
    }

    @Test func itListensOnIPv6() throws {
        guard let bench = try? ServerBench(endpoint: .tcp(address: "::1", port: 0)) else {
            // A machine without it.
            #expect(!FileManager.default.fileExists(atPath: "/proc/net/if_inet6"))
            return
        }
        #expect(bench.server.url?.hasPrefix("http://[::1]:") == true)
        #expect(try bench.connect().ask("GET", "/hello", host: "[::1]").body == "hello")
    }

    /// Each with one warning, and none for who was let in.
    @Test func itLogsItsBeginningAndEnd() throws {
        let bench = try ServerBench()
        _ = try bench.connect().ask("GET", "/hello")
        #expect(bench.server.stop(deadline: .seconds(60)))
        #expect(
            bench.log.lines.filter { !$0.hasPrefix("debug") } == [
                "info: the monitor listens", "info: the monitor has ended",
            ])
    }

    /// A sink may ask the server that logs to it.
    @Test func aLogSinkMayAskTheServer() throws {
        final class Asking: AudioLogSink {
            let server = Lock<MonitorServer?>(nil)
            let urls = Lock<[String?]>([])

            func log(
                level: AudioLogLevel, message: @autoclosure () -> String,
                metadata: @autoclosure () -> [String: String], source: @autoclosure () -> String
            ) {
                let url = server.withLock { $0 }?.url
                urls.withLock { $0.append(url) }
            }
        }
        let sink = Asking()
        let server = MonitorServer(SystemReporter(), logSink: sink)
        sink.server.withLock { $0 = server }
        try server.start()
        #expect(sink.urls.withLock { $0 } == [server.url])
        #expect(server.stop(deadline: .seconds(60)))
        sink.server.withLock { $0 = nil }
    }

    @Test func stoppingAllThreadsStopsIt() throws {
        let threadID = Lock(0)
        var routes = MonitorRoutes()
        routes.get["/hello"] = .now { _ in
            threadID.withLock { $0 = Int(clinux_gettid()) }
            return MonitorResponse(contentType: "text/plain", body: [])
        }
        let bench = try ServerBench(routes)
        let client = try bench.connect()
        #expect(try client.ask("GET", "/hello").status == 200)
        // Other tests have servers, too.
        let id = threadID.withLock { $0 }
        let number = try #require(ThreadSupervisor.threads.first { $0.threadID == id }?.number)
        bench.server.stop(deadline: .seconds(60))
        #expect(ThreadSupervisor.join(number: number, deadline: .zero))
        #expect(client.readToEnd().isEmpty)
    }
}
