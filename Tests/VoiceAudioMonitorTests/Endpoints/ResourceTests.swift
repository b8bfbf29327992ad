import Foundation
import TestSupport
import Testing
import VoiceAudio
import VoiceAudioCore
import VoiceAudioMemory

@testable import VoiceAudioMonitor

/// What is told of a program, and its clean-up.
@Suite(.timeLimit(.minutes(5))) struct ResourceTests {
    private let clock = ManualClock()

    private func bench(_ reporter: SystemReporter) throws -> ServerBench {
        try ServerBench(.all(of: reporter, clock: clock))
    }

    private func decode<Value: Decodable>(_ type: Value.Type, _ reply: HTTPClient.Reply) throws -> Value {
        #expect(reply.headers["content-type"] == "application/json")
        return try JSONDecoder().decode(type, from: Data(reply.body.utf8))
    }

    private struct Status: Decodable {
        let status: String
        let reasons: [String]
    }

    @Test func aReportIsServedAsJSON() throws {
        let processor = AudioProcessor(source: ScriptedSource(), configuration: .scripted())
        let reporter = SystemReporter(monitor: MemoryPressureMonitor(clock: clock), clock: clock)
        reporter.add(processor, named: "kitchen")
        let bench = try bench(reporter)
        let report = try decode(SystemReport.self, bench.connect().ask("GET", "/system-resources"))
        #expect(report.processors.map(\.name) == ["kitchen"] && report.processors[0].state == "idle")
        #expect(report.threads.contains { $0.role == .monitor })
        // For a moment it is the same, however many ask.
        try processor.arm()
        let same = try decode(SystemReport.self, bench.connect().ask("GET", "/system-resources"))
        #expect(same == report)
        clock.advance(by: .milliseconds(100))
        let next = try decode(SystemReport.self, bench.connect().ask("GET", "/system-resources"))
        #expect(next.processors[0].state == "ready")
        processor.cleanup()
    }

    @Test func readinessSaysWhatIsWrong() throws {
        let source = ScriptedSource()
        let processor = AudioProcessor(source: source, configuration: .scripted())
        let reporter = SystemReporter(clock: clock)
        reporter.add(processor, named: "kitchen")
        let bench = try bench(reporter)
        #expect(try bench.connect().ask("GET", "/healthz").status == 200)
        let ready = try bench.connect().ask("GET", "/readyz")
        #expect(ready.status == 200)
        #expect(try decode(Status.self, ready).status == "ready")
        try processor.start()
        source.push(.fail(AudioError(.deviceFailed, "the line is dead")))
        #expect(eventually { if case .failed = processor.state { true } else { false } })
        clock.advance(by: .milliseconds(100))
        let failed = try bench.connect().ask("GET", "/readyz")
        #expect(failed.status == 503)
        let reasons = try decode(Status.self, failed).reasons
        #expect(reasons.count == 1 && reasons[0].contains("kitchen") && reasons[0].contains("the line is dead"))
        #expect(try bench.connect().ask("GET", "/healthz").status == 200)
        processor.cleanup()
        clock.advance(by: .milliseconds(100))
        #expect(try bench.connect().ask("GET", "/readyz").status == 200)
    }

    /// Also where the source is away for a while.
    @Test func whoReconnectsIsNotReady() throws {
        let source = ScriptedSource()
        let registry = SessionRegistry(configuration: .scripted(), clock: clock)
        let session = try registry.begin("call-1", source: source)
        let reporter = SystemReporter(clock: clock)
        reporter.add(registry)
        let bench = try bench(reporter)
        let reason = AudioError(.deviceLost, "unplugged")
        source.push(.frames(100), .outage(CaptureOutage(reason: reason, since: SystemClock().now)))
        #expect(eventually { session.processor.memoryUsage.health == .reconnecting })
        let reply = try bench.connect().ask("GET", "/readyz")
        #expect(reply.status == 503)
        #expect(try decode(Status.self, reply).reasons.first?.contains("call-1") == true)
        try session.end(deadline: .seconds(60))
    }

    @Test func aCleanupSaysWhatItFreed() throws {
        let source = ScriptedSource()
        let processor = AudioProcessor(source: source, configuration: .scripted(maxChunks: 1000))
        let reporter = SystemReporter(clock: ManualClock())
        reporter.add(processor)
        let bench = try bench(reporter)
        try processor.arm()
        source.push(.frames(100_000))
        #expect(eventually { processor.memoryUsage.memoryUsageBytes == 400_000 })
        let reply = try bench.connect().ask("POST", "/cleanup-resources?what=buffers", ServerBench.authorization)
        #expect(reply.status == 200)
        let report = try decode(SystemCleanupReport.self, reply)
        #expect(report.what == .buffers && report.isComplete && report.failures.isEmpty)
        #expect(report.freedBytes["buffers"] ?? 0 >= 200_000)
        #expect(processor.memoryUsage.bufferSize == 0)
        processor.cleanup()
    }

    @Test func whatToCleanUpHasToBeKnown() throws {
        let bench = try bench(SystemReporter())
        for query in ["", "?what=", "?what=everything", "?what", "?other=all", "?what=all&what=all", "?what=all&x=y"] {
            let reply = try bench.connect().ask("POST", "/cleanup-resources\(query)", ServerBench.authorization)
            #expect(reply.status == 400 && reply.body.contains("buffers, spill, expired, all"), "\(query)")
        }
        #expect(try bench.connect().ask("POST", "/cleanup-resources?what=all").status == 401)
        #expect(try bench.connect().ask("GET", "/cleanup-resources?what=all").status == 405)
        for what in SystemCleanup.allCases {
            let reply = try bench.connect().ask("POST", "/cleanup-resources?what=\(what)", ServerBench.authorization)
            #expect(try decode(SystemCleanupReport.self, reply).what == what)
        }
    }

    /// Work that is done, but not told yet, is nobody else's: their answers do not get mixed up.
    @Test func workBeginsOnceTheOneBeforeIsTold() throws {
        let control = try MonitorControl()
        let (first, second) = (MonitorResponse(json: ["first"]), MonitorResponse(json: ["second"]))
        #expect(control.begin { first } == nil)
        let clock = SystemClock()
        #expect(control.wakeUp.waitUntilSignalled(by: clock.now.advanced(by: .seconds(60)), clock: clock))
        #expect(control.begin { second }?.status == 409)
        #expect(control.takeResult() == first)
        #expect(control.begin { second } == nil)
        #expect(control.joinWorker(by: clock.now.advanced(by: .seconds(60)), clock: clock))
        #expect(control.takeResult() == second)
    }

    /// Work that takes long keeps nobody waiting but who asked for it, and there is one at a time.
    @Test func longWorkKeepsNobodyWaiting() throws {
        let (hasBegun, mayEnd) = (try WakeUp(), try WakeUp())
        var routes = MonitorRoutes()
        routes.get["/hello"] = .now { _ in MonitorResponse(contentType: "text/plain", body: []) }
        routes.post["/slow"] = .later { _ in
            .accepted {
                hasBegun.signal()
                _ = mayEnd.waitUntilSignalled(by: SystemClock().now.advanced(by: .seconds(120)), clock: SystemClock())
                return MonitorResponse(contentType: "text/plain", body: [UInt8]("done".utf8))
            }
        }
        let bench = try ServerBench(routes)
        let client = try bench.connect()
        let request = "POST /slow HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(ServerBench.token)\r\n\r\n"
        client.send(request)
        #expect(eventually { hasBegun.isSignalled })
        #expect(try bench.connect().ask("POST", "/slow", ServerBench.authorization).status == 409)
        // Longer than a request may take.
        bench.clock.advance(by: .seconds(60))
        #expect(try bench.connect().ask("GET", "/hello").status == 200)
        mayEnd.signal()
        #expect(try client.reply().body == "done")
        client.send(request)
        #expect(try client.reply().body == "done")
        // And at the server's end its client is told.
        mayEnd.clear()
        hasBegun.clear()
        client.send(request)
        #expect(eventually { hasBegun.isSignalled })
        #expect(!bench.server.stop(deadline: .milliseconds(200)))
        #expect(bench.server.url == nil)
        #expect((try? client.reply())?.status ?? 503 == 503)
        mayEnd.signal()
    }
}
