import Foundation
import TestSupport
import Testing

extension ALSARealTests {
    /// Forks without exec, as of Python's multiprocessing and of daemons. The program says what is not as it should be.
    @Suite struct ForkTests {
        @Test(
            .timeLimit(.minutes(3)),
            .enabled(
                if: !ProcessCounts.isThreadSanitized,
                "with ThreadSanitizer Swift takes locks at every use of a global, which a fork finds taken"))
        func childrenTakeNothingFromTheirParentAndCaptureOnTheirOwn() throws {
            try withTemporaryDirectory { directory in
                try withALSAConfiguration(numberedConfiguration("channels 1 rates 16000"), in: directory) {
                    let process = Process()
                    process.executableURL = programBesideTests("ForkingProgram")
                    process.arguments = [directory, "voiceaudio_numbered", ProcessCounts.isSanitized ? "8" : "24"]
                    // A sanitizer would look for leaks in a child whose parent's threads, and what they hold, are not there.
                    // Whoever hangs ends by a signal, and says what each of its threads is at.
                    process.environment = ProcessInfo.processInfo.environment.merging([
                        "ASAN_OPTIONS": "detect_leaks=0", "TMPDIR": directory,
                        "SWIFT_BACKTRACE": "enable=yes,threads=all,color=no,interactive=no,output-to=stderr",
                    ]) { $1 }
                    let errors = Pipe()
                    process.standardError = errors
                    process.standardInput = FileHandle.nullDevice
                    try process.run()
                    let text = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
                    process.waitUntilExit()
                    #expect(process.terminationReason == .exit)
                    #expect(process.terminationStatus == 0)
                    #expect(text.isEmpty, "\(text)")
                }
            }
        }
    }
}
