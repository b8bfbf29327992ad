import Foundation
import Glibc
import TestSupport
import Testing
import VoiceAudioCore
import VoiceAudioIO

extension ALSARealTests {
    /// Calls that fail, and calls that do not return.
    @Suite(.timeLimit(.minutes(5))) struct NumberedPCMHangTests {
        private static let fields = "speed 0 formats S32_LE channels 1"

        /// All that a reader does, by the name that the script has for it.
        private static func run(_ device: String, note: (String) -> Void) throws {
            var reader: PlainReader? = try PlainReader(device, rate: 16_000, periodFrames: 160, bufferFrames: 640)
            note("open")
            try reader?.setThresholds(wakeFrames: 160, stopFrames: nil)
            try reader?.start()
            note("start")
            let (numbers, status) = try readOn(reader!, most: 1000)
            guard numbers == Array(0..<1000), status == 0 else { throw Unexpected("\(numbers.count), \(status)") }
            note("read")
            try reader?.stop()
            note("stop")
            reader = nil
            note("close")
        }

        /// What the names above are after, in that order.
        private static let hangs = [
            ("at open", "open"), ("at setup", "open"), ("at prepare", "open"), ("at start", "start"),
            ("at 500", "read"), ("at 500 in pointer", "read"), ("at 500 in transfer", "read"), ("at stop", "stop"),
            ("at close", "close"),
        ]

        private static func fault(_ place: String, _ length: String) -> String {
            let words = place.split(separator: " ", maxSplits: 2)
            return "\(words[0]) \(words[1]) hang \(words.dropFirst(2).joined()) for \(length)"
        }

        @Test(arguments: hangs) func aHangLastsItsTime(place: String, step: String) throws {
            try withNumberedMicrophone("\(Self.fields) faults \"\(Self.fault(place, "30 ms"))\"") { device in
                let clock = SystemClock()
                var times = ["": clock.now]
                var before = ""
                var took: [String: Duration] = [:]
                for _ in 0..<2 {
                    try Self.run(device) { name in
                        times[name] = clock.now
                        took[name, default: .zero] += times[before]!.duration(to: times[name]!)
                        before = name
                    }
                    // Once, as it says.
                    let expected = took[step]!
                    #expect(expected >= .milliseconds(30))
                    before = "close"
                }
            }
        }

        @Test(arguments: hangs) func aHangForEverEndsWithItsReleaseFile(place: String, step: String) throws {
            try withTemporaryDirectory { directory in
                let file = directory + "/go"
                let fields = "\(Self.fields) release_file \"\(file)\" faults \"\(Self.fault(place, "ever"))\""
                try withNumberedMicrophone(fields) { device in
                    let clock = SystemClock()
                    let times = Lock<[String: MonotonicInstant]>([:])
                    let thread = try ThreadResult {
                        try Self.run(device) { name in
                            let now = clock.now
                            times.withLock { $0[name] = now }
                        }
                    }
                    let order = ["open", "start", "read", "stop", "close"]
                    let passed = order.prefix { $0 != step }
                    #expect(eventually { passed.allSatisfy { name in times.withLock { $0[name] != nil } } })
                    let begin = clock.now
                    _ = eventually { clock.now >= begin.advanced(by: .milliseconds(30)) }
                    let release = clock.now
                    #expect(FileManager.default.createFile(atPath: file, contents: nil))
                    try thread.value()
                    let end = try #require(times.withLock { $0[step] })
                    #expect(end >= release)
                }
            }
        }

        /// Each call answers so often with an error, and then works.
        @Test(arguments: [
            ("open", "open", -EBUSY), ("setup", "hw_params", -EBUSY), ("prepare", "hw_params", -EBUSY),
            ("start", "start", -EBUSY),
        ]) func aCallFailsAsOftenAsItSays(point: String, call: String, status: Int32) throws {
            for (which, fails) in [("", [true, true, false]), ("2", [false, true, true])] {
                let fields = "\(Self.fields) faults \"at \(point) \(which) error EBUSY for 2 calls\""
                try withNumberedMicrophone(fields) { device in
                    for isFailing in fails + [false] {
                        do {
                            try Self.run(device) { _ in }
                            #expect(!isFailing)
                        } catch let failure as PlainReader.Failure {
                            #expect(isFailing)
                            #expect(failure.call == call && failure.status == status)
                        }
                    }
                }
            }
        }

        @Test func everyOpenMayBeSlow() throws {
            try withNumberedMicrophone("\(Self.fields) faults \"every open hang for 10 ms\"") { device in
                let clock = SystemClock()
                for _ in 0..<3 {
                    let begin = clock.now
                    _ = try PlainReader(device, rate: 16_000, periodFrames: 160, bufferFrames: 640)
                    #expect(clock.now >= begin.advanced(by: .milliseconds(10)))
                }
            }
        }

        /// A blocking read, which waits within alsa-lib: the thread is in there, and nothing of ours.
        @Test func aBlockingReadHangsInsideOfAlsaLib() throws {
            try withTemporaryDirectory { directory in
                let file = directory + "/go"
                let fields = "\(Self.fields) release_file \"\(file)\" faults \"at 500 hang in transfer for ever\""
                try withNumberedMicrophone(fields) { device in
                    let clock = SystemClock()
                    let begun = Lock<MonotonicInstant?>(nil)
                    let thread = try ThreadResult {
                        let reader = try PlainReader(
                            device, rate: 16_000, periodFrames: 160, bufferFrames: 640, isBlocking: true)
                        try reader.start()
                        _ = try reader.read(480)
                        begun.withLock { $0 = clock.now }
                        let numbers = try reader.read(480)
                        return (numbers, clock.now)
                    }
                    try #require(eventually { begun.withLock { $0 != nil } })
                    let end = clock.now.advanced(by: .milliseconds(30))
                    _ = eventually { clock.now >= end }
                    let release = clock.now
                    #expect(FileManager.default.createFile(atPath: file, contents: nil))
                    let (numbers, time) = try thread.value()
                    #expect(numbers == Array(480..<960))
                    #expect(time >= release)
                }
            }
        }

        // MARK: What is refused

        private static let whats = "xrun, error, hang, unplug, suspend, stall"

        @Test(arguments: [
            ("faults 7", "faults is 7; accepted: \"at FRAME FAULT\"; several as"),
            ("faults \"\"", "faults is \"\"; accepted: at or every"),
            ("faults \"on 7 xrun\"", "faults is \"on 7 xrun\"; accepted: at or every"),
            (
                "faults \"at noon xrun\"",
                "accepted after \"at\": a frame (0 to 4611686018427387904, every from 1), or open"
            ),
            ("faults \"at -1 xrun\"", "accepted after \"at\": a frame"),
            ("faults \"at 99999999999999999999 xrun\"", "accepted after \"at\": a frame"),
            ("faults \"every 0 xrun\"", "accepted after \"every\": a frame"),
            ("faults \"at 7\"", "accepted after \"at 7\": \(whats)"),
            ("faults [ \"at 7 xrun\" \"at 8 xrum\" ]", "is \"at 8 xrum\"; accepted after \"at 8\": \(whats)"),
            ("faults \"at 7 error\"", "accepted after \"at 7 error\": EIO, ENODEV, EBADFD"),
            ("faults \"at 7 error EGG\"", "accepted after \"at 7 error\": EIO, ENODEV, EBADFD"),
            ("faults \"at 7 error EIO in open\"", "accepted after \"at 7 error EIO in\": pointer or transfer"),
            (
                "faults \"at 7 xrun for\"",
                "accepted after \"at 7 xrun\": nothing, for N ms (1 to 86400000), for N frames, for N"
            ),
            ("faults \"at 7 xrun for 0 ms\"", "accepted after \"at 7 xrun\": nothing, for N ms"),
            ("faults \"at 7 xrun for 3 days\"", "accepted after \"at 7 xrun\": nothing, for N ms"),
            ("faults \"at 7 xrun for 86400001 ms\"", "accepted after \"at 7 xrun\": nothing, for N ms"),
            ("faults \"at 7 xrun for 3 ms please\"", "accepted after \"at 7 xrun for 3 ms\": nothing"),
            (
                "faults \"at 7 stall\"",
                "accepted after \"at 7 stall\": for N ms (1 to 86400000), for N frames, for ever"
            ),
            ("faults \"at 7 stall for 3 calls\"", "accepted after \"at 7 stall\": for N ms"),
            ("faults \"at 7 delay for ever\"", "accepted after \"at 7 delay\": for N ms (1 to 86400000), for N frames"),
            ("faults \"at 7 short\"", "accepted after \"at 7 short\": frames, 1 to 1000000"),
            ("faults \"at 7 backward 0 for 3 ms\"", "accepted after \"at 7 backward\": frames, 1 to 1000000"),
            ("faults \"at open stall for 3 ms\"", "accepted after \"at open\": error or hang"),
            ("faults \"at open error EIO for 3 frames\"", "accepted after \"at open error EIO\": nothing, for N ms"),
            ("faults \"at close error EIO\"", "accepted after \"at close\": hang"),
            ("faults \"at 2 open hang for ever\"", "accepted after \"at 2\": \(whats)"),
            ("release_file go", "release_file is go; accepted: a path that begins with /"),
            ("fault_every_ms 0", "fault_every_ms is 0; accepted: 1 to 86400000"),
            ("fault_seed -1", "fault_seed is -1; accepted: 0 to 9223372036854775807"),
            ("fault \"at 7 xrun\"", "there is no field fault; there are: formats, channels, rates"),
        ]) func aWrongScriptIsToldInTheError(fields: String, message: String) throws {
            try withNumberedMicrophone(fields) { device in
                let error = #expect(throws: AudioError.self) {
                    try ALSASource(device: device).open(
                        CaptureRequest(format: .speech, chunkFrameCount: 160), in: CaptureEnvironment())
                }
                #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
            }
        }

        @Test func aScriptHasAtMost64Faults() throws {
            func list(_ count: Int) -> String {
                "speed 0 faults [ " + (0..<count).map { "\"at \($0) xrun\" " }.joined() + "]"
            }
            try withNumberedMicrophone(list(64)) { device in
                _ = try PlainReader(device, rate: 16_000, periodFrames: 160, bufferFrames: 640)
            }
            try withNumberedMicrophone(list(65)) { device in
                let error = #expect(throws: AudioError.self) {
                    try ALSASource(device: device).open(
                        CaptureRequest(format: .speech, chunkFrameCount: 160), in: CaptureEnvironment())
                }
                #expect(error?.message.contains("faults is at 64 xrun; accepted: ") == true, "\(error?.message ?? "")")
            }
        }
    }
}
