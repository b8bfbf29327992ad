import Glibc
import TestSupport
import VoiceAudio
import VoiceAudioCore
import XCTest

/// A process at its limit of descriptors, for a while.
final class DescriptorShortageTests: XCTestCase {
    /// Fails once, and lets no descriptor be had for a while then.
    private struct Failing: Transcriber {
        let attempts = Lock(0)

        func transcribe(_ wav: borrowing TemporaryWAV, language: String?) async throws -> Transcript {
            let attempt = attempts.withLock { attempts in
                attempts += 1
                return attempts
            }
            guard attempt == 1 else { return Transcript(text: "at last") }
            try lackDescriptorsForAWhile()
            throw AudioError(.timedOut, "late")
        }
    }

    /// No other test runs meanwhile.
    func testAWaitForAnotherAttemptOutlivesALackOfDescriptors() async throws {
        var options = SegmentOptions()
        options.retryDelay = .seconds(1)
        options.minimumFreeBytes = 0
        let results = try await transcribeSegments(
            [TranscriptionSegment(samples: [Int16(1)], format: .speech)], using: Failing(), options: options)
        XCTAssertEqual(results.map(\.text), ["at last"])
        XCTAssertEqual(results.map(\.attempts), [2])
    }

    func testAProgramAtWorkOutlivesALackOfDescriptors() async throws {
        // Each line wakes who waits for it, which takes a descriptor.
        let script = "for word in a b c d e f g h; do echo $word; sleep 0.05; done"
        let command = try CommandTranscriber("/bin/sh", arguments: ["-c", script, "{wav}"])
        async let transcript = command.transcribe(samples: [Int16(1)], format: .speech, minimumFreeBytes: 0)
        let hasBegun = try await eventuallyOffThePool { ProcessCounts.threads(named: "va-notify") > 0 }
        XCTAssert(hasBegun)
        try lackDescriptorsForAWhile()
        let text = try await transcript.text
        XCTAssertEqual(text, "a\nb\nc\nd\ne\nf\ng\nh")
    }
}

/// Lets no descriptor be had for 300 ms.
private func lackDescriptorsForAWhile() throws {
    let limit = Lock<UInt?>(nil)
    // A thread that is there before: it needs a descriptor.
    _ = try WorkerThread(name: "va-test") {
        usleep(300_000)
        limit.withLock { limit in if let limit { setDescriptorLimit(limit) } }
    }
    limit.withLock { $0 = setDescriptorLimit(3) }
}

/// Sets the limit of descriptors; the one before.
@discardableResult
func setDescriptorLimit(_ count: UInt) -> UInt {
    var limit = rlimit()
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    // SAFETY: the kernel fills and reads a local.
    unsafe getrlimit(resource, &limit)
    let before = limit.rlim_cur
    limit.rlim_cur = count
    // SAFETY: as above.
    unsafe setrlimit(resource, &limit)
    return before
}
