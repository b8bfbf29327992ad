import TestSupport
import VoiceAudio
import VoiceAudioCore
import XCTest

/// Clean-ups and what is around them leave nothing.
final class GovernanceLeakTests: XCTestCase {
    private final class Handler: MemoryCleanupHandler {
        let cleanupName: String
        let cleanupPriority = 0
        private let body: @Sendable () throws -> Int

        init(_ name: String, body: @escaping @Sendable () throws -> Int) {
            cleanupName = name
            self.body = body
        }

        func freeMemory(_ stage: MemoryCleanupStage) throws -> Int { try body() }
    }

    private func work(_ handlers: [Handler], rounds: Int) throws {
        for _ in 0..<rounds {
            let monitor = MemoryPressureMonitor(cleanupSlot: .milliseconds(1))
            for handler in handlers { monitor.register(handler) }
            try withMemoryGovernance(of: Int.self, budget: .bytes(1 << 20), monitor: monitor) { monitor, results in
                for number in 0..<100 { try results.append(number) }
                _ = monitor.cleanUp(.shrink)
            }
        }
    }

    func testHandlersThatThrowOrHangLeaveNothing() throws {
        let gate = try WakeUp()
        let works = Handler("works") { 1 }
        let fails = Handler("throws") { throw AudioError(.invalidState, "never") }
        let hangs = Handler("hangs") {
            var descriptors = DescriptorSet(count: 1)
            descriptors.watch(gate.descriptor, at: 0)
            _ = SystemClock().wait(for: descriptors, until: nil)
            return 0
        }
        try work([works, fails], rounds: 5)
        let (threads, descriptors) = (ProcessCounts.threads(), ProcessCounts.descriptors)
        try work([works, fails, hangs], rounds: 20)
        // One thread for each monitor, which never called the handler again.
        XCTAssert(eventually { ProcessCounts.threads(named: "va-handler") == 20 }, "\(ProcessCounts.threadNames)")
        gate.signal()
        // Fewer, where a thread was about to end at the first look.
        XCTAssert(eventually { ProcessCounts.threads() <= threads && ProcessCounts.descriptors <= descriptors })
    }
}
