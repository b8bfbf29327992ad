import Glibc
import TestSupport
import Testing
import VoiceAudioCore

extension ALSARealTests {
    /// Faults without an error: what comes is late, little, nothing or wrong.
    @Suite(.timeLimit(.minutes(5))) struct NumberedPCMFlowFaultTests {
        private let clock = SystemClock()

        /// A started reader with a buffer that holds seconds, woken at 160 frames.
        private func started(_ device: String) throws -> PlainReader {
            let reader = try PlainReader(device, rate: 16_000, periodFrames: 160, bufferFrames: 240_000)
            try reader.setThresholds(wakeFrames: 160, stopFrames: nil)
            try reader.start()
            return reader
        }

        /// Reads 1000 frames, and the next, which come after the fault at frame 1000.
        ///
        /// - Returns: What is missing between them, and how long they took.
        private func acrossFault(_ reader: PlainReader) throws -> (missing: Int, time: Duration) {
            let before = try readOn(reader, most: 1000)
            #expect(before == (Array(0..<1000), 0))
            let begin = clock.now
            let after = try readOn(reader, most: 320)
            let end = clock.now
            let first = try #require(after.numbers.first)
            let goesOn = after.numbers == Array(first..<first + 320)
            #expect(goesOn && after.status == 0)
            return (Int(first) - 1000, begin.duration(to: end))
        }

        @Test(arguments: ["30 ms", "960 frames"]) func aStallLosesWhatWouldHaveCome(length: String) throws {
            try withNumberedMicrophone("speed 2 faults \"at 1000 stall for \(length)\"") { device in
                let (missing, time) = try acrossFault(started(device))
                #expect(time >= .milliseconds(30))
                #expect(missing >= 960)
            }
        }

        @Test func aFrozenMicrophoneLosesNothing() throws {
            try withNumberedMicrophone("speed 2 faults \"at 1000 freeze for 30 ms\"") { device in
                let beforeStart = clock.now
                let reader = try started(device)
                let (missing, time) = try acrossFault(reader)
                #expect(time >= .milliseconds(30))
                #expect(missing == 0)
                // Nor do the frames of that time come later.
                let captured = Double(1320 + reader.available())
                let elapsed = Double(clock.now.nanoseconds - beforeStart.nanoseconds) / 1e9
                #expect(captured <= (elapsed - 0.03) * 32_000)
            }
        }

        @Test func delayedFramesComeAllAtOnce() throws {
            try withNumberedMicrophone("speed 2 faults \"at 1000 delay for 30 ms\"") { device in
                let reader = try started(device)
                #expect(try readOn(reader, most: 1000) == (Array(0..<1000), 0))
                var first = 0
                #expect(
                    eventually {
                        first = reader.available()
                        return first != 0
                    })
                #expect(first >= 960)
                #expect(try readOn(reader, most: 960) == (Array(1000..<1960), 0))
            }
        }

        @Test func aStallForEverDelivesNothingUntilThePCMIsOpenedAnew() throws {
            for speed in [0, 2] {
                try withNumberedMicrophone("speed \(speed) faults \"at 1000 stall for ever\"") { device in
                    do {
                        let reader = try started(device)
                        #expect(try readOn(reader, most: 1000) == (Array(0..<1000), 0))
                        #expect(eventually { (try? reader.poll(milliseconds: 0)) == .some(nil) })
                        #expect(try reader.poll(milliseconds: 20) == nil)
                        #expect(reader.available() == 0)
                        // Nor does a new start help.
                        try reader.stop()
                        try reader.prepare()
                        try reader.start()
                        #expect(try reader.poll(milliseconds: 20) == nil)
                        #expect(reader.isRunning)
                    }
                    #expect(try readOn(started(device), most: 1000) == (Array(0..<1000), 0))
                }
            }
        }

        @Test func pollTellsOfAnErrorAtOnceAndNothingIsThere() throws {
            try withNumberedMicrophone("speed 10 faults \"at 1000 pollerr for 200 ms\"") { device in
                let reader = try started(device)
                #expect(try readOn(reader, most: 1000) == (Array(0..<1000), 0))
                let begin = clock.now
                #expect(eventually { (try? reader.poll(milliseconds: 0)) == Int16(POLLERR) })
                for _ in 0..<100 {
                    let events = try reader.poll(milliseconds: 0)
                    let available = reader.available()
                    let readStatus = try status { _ = try reader.read(160) }
                    guard clock.now < begin.advanced(by: .milliseconds(190)) else { break }
                    #expect(events == Int16(POLLERR))
                    #expect(available == 0 && readStatus == -EAGAIN)
                    #expect(reader.isRunning)
                }
                let waited = reader.wait(milliseconds: 30_000)
                if clock.now < begin.advanced(by: .milliseconds(190)) { #expect(waited == -EIO) }
                let (after, status) = try readOn(reader, most: 320)
                #expect(clock.now >= begin.advanced(by: .milliseconds(200)))
                #expect(status == 0)
                #expect(try #require(after.first) >= 1000 + 32_000)
            }
        }

        @Test(arguments: [0, 2], [1, 7]) func shortReadsGiveAFewFramesEach(speed: Int, frames: Int) throws {
            try withNumberedMicrophone("speed \(speed) faults \"at 1000 short \(frames) for 210 frames\"") { device in
                let reader = try started(device)
                #expect(try readOn(reader, most: 1000) == (Array(0..<1000), 0))
                var reads: [[UInt32]] = []
                while reads.reduce(0, { $0 + $1.count }) < 210 {
                    _ = try reader.poll(milliseconds: 30_000)
                    let failed = try status { reads.append(try reader.read(160)) }
                    #expect(failed == 0 || failed == -EAGAIN)
                }
                // By the clock, there may be fewer yet.
                #expect(reads.allSatisfy { $0.count == frames || speed > 0 && $0.count < frames })
                #expect(reads.reduce([], +).prefix(210) == Array(1000..<1210)[...])
                #expect(try readOn(reader, most: 320).numbers.last! >= 1210 + 319)
                #expect(reader.available() > frames || speed > 0)
            }
        }

        @Test func zerosStandInThePlaceOfNumbers() throws {
            let faults = "[ \"at 1000 zeros for 500 frames\" \"at 2000 zeros for 10 ms\" ]"
            try withNumberedMicrophone("speed 0 faults \(faults)") { device in
                let (numbers, status) = try readOn(started(device), most: 4000)
                #expect(status == 0)
                let expected = (0..<4000).map {
                    UInt32((1000..<1500).contains($0) || (2000..<2160).contains($0) ? 0 : $0)
                }
                let isSame = numbers == expected
                #expect(isSame)
            }
        }

        @Test func aPositionThatRunsBackwardMakesMoreThanThereCanBe() throws {
            try withNumberedMicrophone("speed 1 faults \"at 1000 backward 1000000 for 50 ms\"") { device in
                let reader = try started(device)
                #expect(try readOn(reader, most: 1000) == (Array(0..<1000), 0))
                var available = 0
                #expect(
                    eventually {
                        available = reader.available()
                        return available > reader.bufferFrames
                    })
                #expect(available >= reader.boundary - 1_000_000)
                #expect(reader.isRunning)
                #expect(eventually { reader.available() < reader.bufferFrames })
                #expect(try readOn(reader, most: 1000) == (Array(1000..<2000), 0))
            }
        }

        // MARK: At random

        /// What a reader meets that restarts, resumes and opens anew as it has to, up to a position.
        private func meets(_ fields: String) throws -> [String] {
            try withNumberedMicrophone("speed 0 \(fields)") { device in
                var met = ["0 RUNNING 0"]
                var opened: PlainReader?
                var count = 0
                while count < 24_000 {
                    do {
                        let reader = try opened ?? started(device)
                        opened = reader
                        let (numbers, status) = try readOn(reader, most: 320)
                        count += numbers.count
                        guard status != 0 else { continue }
                        // Resumed in vain, it is the same again.
                        let what = "\(count) \(reader.state) \(status)"
                        if met.last != what { met.append(what) }
                        switch status {
                        case -EPIPE:
                            try reader.prepare()
                            try reader.start()
                        case -ESTRPIPE: _ = reader.resume()
                        default: opened = reader.state == "DISCONNECTED" ? nil : reader
                        }
                    } catch let failure as PlainReader.Failure where failure.status == -ENODEV {
                        continue
                    }
                }
                return met
            }
        }

        @Test func theSameSeedGivesTheSameFaults() throws {
            let first = try meets("fault_every_ms 50 fault_seed 7")
            #expect(first.count > 5)
            #expect(try meets("fault_every_ms 50 fault_seed 7") == first)
            #expect(try meets("fault_every_ms 50 fault_seed 8") != first)
            #expect(try meets("") == ["0 RUNNING 0"])
        }
    }
}
