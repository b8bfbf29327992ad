import Foundation
import TestSupport
import Testing
import VoiceAudio
import VoiceAudioCore

@testable import VoiceAudioMonitor

/// Clients that are slow, or pretend to be.
@Suite(.timeLimit(.minutes(5))) struct SlowClientTests {
    /// Time stands still but for what the test says.
    @Test func aRequestHasTenSeconds() throws {
        let bench = try ServerBench()
        let slow = try bench.connect()
        slow.send("GET /hello HTTP/1.1\r\nHost: loc")
        try bench.settle()
        bench.clock.advance(by: .seconds(9))
        slow.send("alhost\r\nX: ")
        try bench.settle()
        // However much it wrote meanwhile.
        bench.clock.advance(by: .seconds(1))
        #expect(slow.read(upTo: "\r\n") == nil)
        try bench.settle()
    }

    @Test func aConnectionThatIsIdleEnds() throws {
        let bench = try ServerBench()
        let client = try bench.connect()
        for _ in 0..<3 {
            #expect(try client.ask("GET", "/hello").status == 200)
            try bench.settle()
            bench.clock.advance(by: .seconds(9))
        }
        bench.clock.advance(by: .seconds(1))
        #expect(client.readToEnd().isEmpty)
    }

    /// A body that does not come counts, too.
    @Test func aBodyHasItsTime() throws {
        let bench = try ServerBench()
        let client = try bench.connect()
        client.send(
            "POST /hello HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(ServerBench.token)\r\nContent-Length: 9\r\n\r\nx"
        )
        try bench.settle()
        bench.clock.advance(by: .seconds(10))
        #expect(client.readToEnd().isEmpty)
    }

    private static var fourPlaces: MonitorLimits {
        var limits = MonitorLimits()
        limits.connections = 4
        return limits
    }

    /// Four clients that have sent `start` of a request, and been told `sign`; another one is served once their grace is over.
    private func fillPlaces(of bench: ServerBench, with start: String, until sign: String? = nil) throws -> [HTTPClient]
    {
        let slow = try (0..<4).map { _ in try bench.connect() }
        for client in slow {
            client.send(start)
            if let sign { #expect(client.read(upTo: sign) != nil) }
        }
        #expect(bench.clock.waitUntilWaiting(dueWithin: Self.fourPlaces.graceTime))
        let good = try bench.connect()
        good.send("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n")
        bench.clock.advance(by: Self.fourPlaces.graceTime)
        #expect(try good.reply().status == 200)
        return slow
    }

    /// Places for four; when all are taken, the one that waits longest goes, if it had its grace.
    @Test func whoWaitsLongestMakesRoom() throws {
        let bench = try ServerBench(limits: Self.fourPlaces)
        let slow = try fillPlaces(of: bench, with: "GET /hello HTTP/1.1\r\n")
        // One of them is gone; the others can go on.
        let replies = slow.map { client in
            client.send("Host: localhost\r\n\r\n")
            return (try? client.reply())?.status
        }
        #expect(replies.count { $0 == 200 } == 3 && replies.count { $0 == nil } == 1)
    }

    /// So does who says that a body comes, which needs no token.
    @Test func aBodyThatDoesNotComeMakesRoom() throws {
        let bench = try ServerBench(limits: Self.fourPlaces)
        // Their time begins with the end of the headers, which the sign shows to have come.
        let slow = try fillPlaces(
            of: bench,
            with: "GET /hello HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\nx",
            until: "HTTP/1.1 100 Continue\r\n\r\n")
        withExtendedLifetime(slow) {}
    }

    /// And who asks for much and takes none of it, after a while.
    @Test func aResponseThatIsNotTakenMakesRoom() throws {
        let limits = Self.fourPlaces
        var routes = MonitorRoutes()
        let much = [UInt8](repeating: 0, count: 16 << 20)
        routes.get["/much"] = .now { _ in MonitorResponse(contentType: "text/plain", body: much) }
        routes.get["/hello"] = .now { _ in MonitorResponse(contentType: "text/plain", body: []) }
        let bench = try ServerBench(routes, limits: limits)
        let slow = try (0..<4).map { _ in
            let client = try bench.connect()
            client.send("GET /much HTTP/1.1\r\nHost: localhost\r\n\r\n")
            _ = try #require(client.read(upTo: "\r\n\r\n"))
            return client
        }
        let good = try bench.connect()
        good.send("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(bench.clock.waitUntilWaiting(dueWithin: .seconds(1)))
        bench.clock.advance(by: .seconds(1))
        #expect(try good.reply().status == 200)
        withExtendedLifetime(slow) {}
    }

    /// A capture loses no frame of it, and those who behave are served, while 500 hold connections open that say little.
    @Test func fiveHundredSlowClientsHarmNobody() throws {
        var configuration = AudioConfiguration()
        // A device that holds six seconds, as the tests' own machine may be busy, and a ring of minutes.
        configuration.chunkFrameCount = 24_000
        let processor = AudioProcessor(
            source: SimulatedSource(toneHz: 440, pace: .realTime), configuration: configuration)
        let reporter = SystemReporter()
        reporter.add(processor)
        let server = MonitorServer(reporter)
        try server.start()
        defer { server.stop(deadline: .seconds(60)) }
        let url = try #require(server.url)
        try processor.start()
        let beginnings = ["", "G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: localhost\r\nX: "]
        let slow = try (0..<500).map { number in
            let client = try HTTPClient(url)
            client.send(beginnings[number % 4])
            if number % 10 == 0 { #expect(try HTTPClient(url).ask("GET", "/system-resources").status == 200) }
            return client
        }
        for _ in 0..<50 { #expect(try HTTPClient(url).ask("GET", "/healthz").status == 200) }
        #expect(eventually { processor.statistics.framesDelivered > 0 })
        let usage = processor.memoryUsage
        #expect(usage.drops.device == 0 && usage.drops.ringEvicted.frames == 0 && usage.drops.ringRefused.frames == 0)
        let recording = try processor.stop(deadline: .seconds(60))
        #expect(recording.losses.isEmpty && recording.frameCount > 0)
        processor.cleanup()
        withExtendedLifetime(slow) {}
    }
}
