import Foundation
import TestSupport
import Testing

/// The plugin for tests in a program that is not ours.
@Suite struct ForeignProgramTests {
    /// It has nothing of ours, and reads in its own way.
    @Test(
        .enabled(if: !ProcessCounts.isSanitized, "a sanitizer's plugin loads only into programs that have it"),
        .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/arecord"), "alsa-utils not installed"))
    func arecordGetsTheSame() throws {
        try withTemporaryDirectory { directory in
            let configuration = directory + "/asound.conf"
            try ("</usr/share/alsa/alsa.conf>\n" + numberedConfiguration("speed 0"))
                .write(toFile: configuration, atomically: true, encoding: .utf8)
            let recorder = Process()
            recorder.executableURL = URL(fileURLWithPath: "/usr/bin/arecord")
            recorder.arguments = [
                "-q", "-D", "voiceaudio_numbered", "-f", "S24_LE", "-r", "44100", "-c", "2", "-t", "raw",
                "-s", "20000", directory + "/out.raw",
            ]
            recorder.environment = ProcessInfo.processInfo.environment
                .merging(["ALSA_CONFIG_PATH": configuration]) { $1 }
            recorder.standardInput = FileHandle.nullDevice
            try recorder.run()
            recorder.waitUntilExit()
            #expect(recorder.terminationStatus == 0)
            let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: directory + "/out.raw")))
            // With the fourth byte, which holds the sign.
            let expected = (0..<40_000).flatMap { index in
                let value = NumberedFormat.padded24.sample(number: index / 2, channel: index % 2)
                let word = UInt32(bitPattern: Int32(truncatingIfNeeded: value << 8) >> 8)
                return (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
            }
            let isSame = bytes == expected
            #expect(isSame)
        }
    }
}
