import Foundation
import TestSupport
import Testing
import VoiceAudioCore

@testable import VoiceAudioMonitor

/// Server-sent events, whatever they tell of.
@Suite(.timeLimit(.minutes(5))) struct EventTests {
    /// Counts its blocks, each of which is so long.
    private final class Feed: Sendable {
        let made = Lock(0)
        private let filler: [UInt8]

        init(byteCount: Int = 0) { filler = [UInt8](repeating: UInt8(ascii: "x"), count: byteCount) }

        func next() -> [UInt8] {
            let number = made.withLock { made in
                made += 1
                return made
            }
            return [UInt8]("data: \(number) ".utf8) + filler + [UInt8](" end\n\n".utf8)
        }
    }

    private func bench(_ feed: @escaping @Sendable () -> [UInt8], limits: MonitorLimits = MonitorLimits()) throws
        -> ServerBench
    {
        var routes = MonitorRoutes()
        routes.get["/events"] = .events(feed)
        routes.get["/hello"] = .now { _ in MonitorResponse(contentType: "text/plain", body: []) }
        return try ServerBench(routes, limits: limits)
    }

    private func listen(_ bench: ServerBench) throws -> HTTPClient {
        let client = try bench.connect()
        client.send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        let head = try #require(client.read(upTo: "\r\n\r\n"))
        #expect(head.hasPrefix("HTTP/1.1 200") && head.contains("text/event-stream") && head.contains("no-store"))
        return client
    }

    /// The number of the next block.
    private func number(_ client: HTTPClient) throws -> Int {
        _ = try #require(client.read(upTo: "data: "))
        let number = try #require(client.read(upTo: " ")).dropLast()
        return try #require(Int(number))
    }

    @Test func eachListenerGetsTheSameBlocksAtTheirPace() throws {
        let feed = Feed()
        let bench = try bench { feed.next() }
        let first = try listen(bench)
        #expect(try number(first) == 1)
        let second = try listen(bench)
        // It need not wait for the next tick, which does not come earlier for that.
        #expect(try number(second) == 1)
        for round in 2...20 {
            bench.clock.advance(by: .milliseconds(100))
            #expect(try number(first) == round)
            #expect(try number(second) == round)
        }
        // Time stands still, and with it the feed.
        #expect(try bench.connect().ask("GET", "/hello").status == 200)
        #expect(feed.made.withLock { $0 } == 20)
    }

    @Test func nobodyIsAskedWhileNobodyListens() throws {
        let feed = Feed()
        let bench = try bench { feed.next() }
        do {
            let client = try listen(bench)
            #expect(try number(client) == 1)
        }
        // It takes blocks to notice that it has gone.
        #expect(
            eventually {
                let before = feed.made.withLock { $0 }
                for _ in 0..<10 {
                    bench.clock.advance(by: .milliseconds(100))
                    _ = try? bench.connect().ask("GET", "/hello")
                }
                return feed.made.withLock { $0 } == before
            })
    }

    /// Who comes and goes does not have the feed asked more often.
    @Test func comingAndGoingMakesNoMoreBlocks() throws {
        let feed = Feed()
        let bench = try bench { feed.next() }
        let first = try listen(bench)
        #expect(try number(first) == 1)
        for _ in 0..<5 { #expect(try number(try listen(bench)) == 1) }
        #expect(feed.made.withLock { $0 } == 1)
    }

    @Test func silenceHasASignOfLife() throws {
        let bench = try bench { [] }
        let client = try listen(bench)
        #expect(client.read(upTo: "\n\n")?.contains(": still here") == true)
        // Each hop as far as the next tick at most.
        for _ in 0..<151 {
            bench.clock.advance(by: .milliseconds(100))
            #expect(bench.clock.waitUntilWaiting(dueWithin: .milliseconds(100)))
        }
        #expect(client.read(upTo: "\n\n")?.contains(": still here") == true)
    }

    /// What has no end does not hold a place by the time of a request; but who takes nothing is cut off.
    @Test func listenersStayAndWhoTakesNothingGoes() throws {
        let feed = Feed(byteCount: 1 << 20)
        var limits = MonitorLimits()
        limits.listenerTime = .seconds(3)
        let bench = try bench({ feed.next() }, limits: limits)
        let good = try listen(bench)
        #expect(try number(good) == 1)
        let stuck = try listen(bench)
        // Longer than a request may take.
        for _ in 0..<120 {
            let newest = feed.made.withLock { $0 } + 1
            bench.clock.advance(by: .milliseconds(100))
            #expect(eventually { feed.made.withLock { $0 } >= newest })
            // Some may be missing, but never the newest.
            while try number(good) < newest {}
        }
        // What fits between is there; not 12 s of it.
        #expect(stuck.readToEnd().utf8.count < 32 << 20)
    }

    @Test func thereAreOnlySoManyListeners() throws {
        let feed = Feed()
        let bench = try bench { feed.next() }
        let listeners = try (0..<8).map { _ in try listen(bench) }
        let refused = try bench.connect().ask("GET", "/events")
        #expect(refused.status == 503 && refused.headers["retry-after"] != nil)
        let head = try bench.connect().ask("HEAD", "/events")
        #expect(head.status == 200 && head.headers["content-type"] == "text/event-stream")
        withExtendedLifetime(listeners) {}
    }

    @Test func stoppingEndsListenersToo() throws {
        let feed = Feed(byteCount: 1 << 20)
        let bench = try bench { feed.next() }
        let idle = try listen(bench)
        _ = try #require(idle.read(upTo: " end"))
        let stuck = try listen(bench)
        bench.clock.advance(by: .milliseconds(100))
        #expect(try number(idle) == 2)
        #expect(bench.server.stop(deadline: .seconds(60)))
        _ = idle.readToEnd()
        _ = stuck.readToEnd()
        #expect(bench.server.url == nil)
    }
}
