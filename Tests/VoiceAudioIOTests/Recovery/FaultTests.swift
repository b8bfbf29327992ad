import TestSupport
import Testing
import VoiceAudioCore

@testable import VoiceAudioIO

extension ALSARealTests {
    /// Whatever an ALSA device does, through the real alsa-lib: the health says so, what it cost is told, and the capture goes
    /// on when the cause is gone. All at once, as each takes its time.
    @Suite(.timeLimit(.minutes(5))) struct FaultTests {
        /// A fault, and what is to come of it.
        struct Fault: Sendable {
            var script: String
            var healths: [CaptureHealth] = [.flowing]
            /// What may be told or not, by how quick the machine is.
            var orNot: CaptureHealth?
            /// How often the device is opened anew.
            var reopenings = 0...0
            /// How many frames may be told lost where the machine is in time; the lower bound is what really is.
            var told: ClosedRange<Int>
            var seconds = 1.5
        }

        /// A frame is a sixteenth of a millisecond; each fault comes after 250 ms.
        static let faults: [Fault] = [
            Fault(script: "at 4000 xrun", told: 0...1600),
            Fault(script: "at 4000 xrun for 5 calls", told: 0...1600),
            Fault(
                script: "at 4000 xrun for ever", healths: [.flowing, .reconnecting, .flowing], reopenings: 1...1,
                told: 1600...8000),
            Fault(
                script: "at 4000 error EIO in pointer for ever", healths: [.flowing, .reconnecting, .flowing],
                reopenings: 1...1, told: 1600...8000),
            Fault(script: "at 4000 error EIO", told: 0...1600),
            Fault(
                script: "at 4000 error EIO for ever", healths: [.flowing, .reconnecting, .flowing], reopenings: 1...1,
                told: 1600...8000),
            Fault(
                script: "at 4000 error ENODEV in transfer", healths: [.flowing, .reconnecting, .flowing],
                reopenings: 1...1, told: 1600...8000),
            Fault(
                script: "at 4000 unplug for 700 ms", healths: [.flowing, .reconnecting, .flowing], reopenings: 1...1,
                told: 11_200...32_000, seconds: 2.5),
            Fault(script: "at 4000 suspend for 3 calls", told: 0...4800),
            Fault(script: "at 4000 suspend for 300 ms", told: 4480...8000),
            Fault(
                script: "at 4000 stall for 700 ms", healths: [.flowing, .stalled, .flowing], told: 9600...12_800,
                seconds: 4),
            Fault(script: "at 4000 delay for 300 ms", told: 0...8000),
            Fault(
                script: "at 4000 freeze for 700 ms", healths: [.flowing, .stalled, .flowing], told: 9600...12_800,
                seconds: 4),
            Fault(script: "at 4000 pollerr for 200 ms", told: 0...4800, seconds: 4),
            Fault(
                script: "at 4000 pollerr for ever", healths: [.flowing, .reconnecting, .flowing], orNot: .stalled,
                reopenings: 1...1, told: 4800...24_000, seconds: 2.5),
            Fault(script: "at 4000 short 8 for 200 ms", told: 0...0),
            Fault(
                script: "at 4000 zeros for 1700 ms", healths: [.flowing, .silent, .flowing], told: 0...0,
                seconds: 2.5),
            Fault(script: "at 4000 backward 500 for 3 calls", told: 0...3200),
            Fault(
                script: "at 4000 hang for 700 ms", healths: [.flowing, .stalled, .flowing], told: 9600...12_800,
                seconds: 3),
            Fault(
                script: "at 4000 hang in transfer for 700 ms", healths: [.flowing, .stalled, .flowing],
                told: 9600...12_800, seconds: 3),
            Fault(script: "at open hang for 300 ms", told: 0...0),
            Fault(script: "at setup hang for 300 ms", told: 0...0),
            Fault(script: "at close hang for 300 ms", told: 0...0),
        ]

        /// By the clock: a fault is tried again where this machine may have stood still meanwhile.
        private static let tries = 0..<4

        private static func device(_ fault: Int, _ attempt: Int) -> String { "voiceaudio_fault_\(fault)_\(attempt)" }

        @Test func everyFaultIsNamedToldAndSurvived() throws {
            var fields = ""
            for (index, fault) in Self.faults.enumerated() {
                for attempt in Self.tries {
                    fields += numberedConfiguration(
                        "formats S32_LE channels 1 rates 16000 buffer_frames 3200 period_frames 160 faults [ \"\(fault.script)\" ]",
                        name: Self.device(index, attempt))
                }
            }
            try withTemporaryDirectory { directory in
                try withALSAConfiguration(fields, in: directory) {
                    let first = try Self.faults.enumerated().map { index, fault in
                        try ThreadResult { try FaultRun(Self.device(index, 0), seconds: fault.seconds) }
                    }
                    for (index, fault) in Self.faults.enumerated() {
                        var complaints = Self.complaints(fault, try first[index].value())
                        for attempt in Self.tries.dropFirst() where !complaints.isEmpty {
                            let run = try FaultRun(Self.device(index, attempt), seconds: fault.seconds)
                            complaints = Self.complaints(fault, run)
                        }
                        #expect(complaints.isEmpty, "\(fault.script): \(complaints)")
                    }
                }
            }
        }

        /// What is not as it is to be.
        private static func complaints(_ fault: Fault, _ run: FaultRun) -> [String] {
            print(
                "\(fault.script): \(run.healths.map(\.rawValue).joined(separator: ", ")); delivered \(run.delivered), told "
                    + "\(run.told), missing \(run.missing), due \(run.due), pause \(run.longestPause), reopened "
                    + "\(run.reopenings)")
            var complaints: [String] = []
            if let failure = run.failure { complaints.append("failed: \(failure)") }
            if run.healths.filter({ $0 != fault.orNot }) != fault.healths {
                complaints.append("healths \(run.healths)")
            }
            if !fault.reopenings.contains(run.reopenings) { complaints.append("opened anew \(run.reopenings) times") }
            // A machine that comes late loses more, and has to tell that, too: as much as the time says, a period aside.
            let most = max(fault.told.upperBound, run.due - run.delivered + 160)
            if !(fault.told.lowerBound...most).contains(run.told) { complaints.append("told \(run.told) lost") }
            if !run.isInOrder { complaints.append("a frame came twice") }
            return complaints
        }
    }
}
