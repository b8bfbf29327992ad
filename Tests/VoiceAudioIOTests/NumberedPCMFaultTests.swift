import Glibc
import TestSupport
import Testing
import VoiceAudioCore

/// Reads on until something fails, as a program does that waits in poll, and is told when nothing is there.
///
/// - Returns: The numbers of the frames, and what failed: 0 if `most` frames came before that.
func readOn(_ reader: PlainReader, most: Int = .max, at once: Int = 160) throws -> (numbers: [UInt32], status: Int32) {
    var numbers: [UInt32] = []
    while numbers.count < most {
        guard try reader.poll(milliseconds: 30_000) != nil else { throw Unexpected("no frames for half a minute") }
        do {
            numbers += try reader.read(min(once, most - numbers.count))
        } catch let failure as PlainReader.Failure where failure.status == -EAGAIN {
            continue
        } catch let failure as PlainReader.Failure {
            return (numbers, failure.status)
        }
    }
    return (numbers, 0)
}

/// The status that something fails with; 0 where it does not.
func status(of call: () throws -> Void) throws -> Int32 {
    do {
        try call()
        return 0
    } catch let failure as PlainReader.Failure {
        return failure.status
    }
}

extension ALSARealTests {
    /// Faults at frames, as a reader sees them that is not ours.
    @Suite(.timeLimit(.minutes(5))) struct NumberedPCMFaultTests {
        private let clock = SystemClock()

        /// A started reader with a buffer that holds seconds, woken at 160 frames.
        private func started(_ device: String, stopFrames: Int? = nil) throws -> PlainReader {
            let reader = try PlainReader(device, rate: 16_000, periodFrames: 160, bufferFrames: 240_000)
            try reader.setThresholds(wakeFrames: 160, stopFrames: stopFrames)
            try reader.start()
            return reader
        }

        private func restart(_ reader: PlainReader) throws {
            try reader.prepare()
            try reader.start()
        }

        private func numbers(_ range: Range<UInt32>) -> [UInt32] { Array(range) }

        // MARK: When

        @Test(arguments: ["0", "0.5", "100"], [64, 160, 1000])
        func allFramesBeforeAFaultAreReadAndNoneAfter(speed: String, once: Int) throws {
            try withNumberedMicrophone("speed \(speed) faults \"at 1000 xrun\"") { device in
                let (numbers, status) = try readOn(started(device), at: once)
                #expect(status == -EPIPE)
                let isAll = numbers == Array(0..<1000)
                #expect(isAll, "\(numbers.count) frames")
            }
        }

        /// Though fewer frames are left than it asked to be woken for.
        @Test(arguments: ["0", "10"]) func aReaderIsWokenForWhatIsLeftBeforeAFaultAndForTheFault(speed: String) throws {
            try withNumberedMicrophone("speed \(speed) faults \"at 1000 xrun\"") { device in
                let reader = try started(device)
                var numbers: [UInt32] = []
                while true {
                    let waited = reader.wait(milliseconds: 30_000)
                    guard waited == 1 else {
                        #expect(waited == -EPIPE)
                        break
                    }
                    let failed = try status { numbers += try reader.read(160) }
                    #expect(failed == 0 || failed == -EAGAIN)
                }
                let isAll = numbers == Array(0..<1000)
                #expect(isAll, "\(numbers.count) frames")
            }
        }

        /// A period takes ten seconds.
        @Test func aReaderIsWokenWhenTheFaultIsDueAndNotOnlyAtThePeriodsEnd() throws {
            try withNumberedMicrophone("speed 0.1 faults \"at 100 xrun\"") { device in
                let reader = try PlainReader(device, rate: 16_000, periodFrames: 16_000, bufferFrames: 64_000)
                try reader.setThresholds(wakeFrames: 16_000, stopFrames: nil)
                try reader.start()
                #expect(try reader.poll(milliseconds: 5000) == Int16(POLLIN))
                #expect(reader.available() == 100)
            }
        }

        @Test func aFaultHappensOnceAndItsFrameCountsFromTheFirstOpen() throws {
            try withNumberedMicrophone("speed 0 faults [ \"at 1000 xrun\" \"at 1500 xrun\" ]") { device in
                do {
                    let reader = try started(device)
                    #expect(try readOn(reader, most: 600).status == 0)
                    // 160 more have been captured.
                    #expect(reader.available() == 160)
                }
                let reader = try started(device)
                #expect(try readOn(reader) == (numbers(0..<240), -EPIPE))
                try restart(reader)
                #expect(try readOn(reader) == (numbers(240..<740), -EPIPE))
                try restart(reader)
                #expect(try readOn(reader, most: 5000).status == 0)
            }
        }

        @Test func faultsRepeatAndSeveralAtOneFrameAllHappen() throws {
            let faults = "[ \"every 500 xrun\" \"at 1000 error EIO\" ]"
            try withNumberedMicrophone("speed 0 faults \(faults)") { device in
                let reader = try started(device)
                #expect(try readOn(reader) == (numbers(0..<500), -EPIPE))
                try restart(reader)
                #expect(try readOn(reader) == (numbers(500..<1000), -EPIPE))
                try restart(reader)
                #expect(try readOn(reader) == ([], -EIO))
                #expect(try readOn(reader) == (numbers(1000..<1500), -EPIPE))
            }
        }

        /// A reader that looks and does not read, as long as there is less than it wants, is not kept waiting for ever.
        @Test func aFaultComesToAReaderThatDoesNotReadUpToIt() throws {
            try withNumberedMicrophone("speed 0 faults \"at 100 xrun\"") { device in
                let reader = try started(device)
                #expect(reader.available() == 100)
                #expect(eventually { reader.available() == -Int(EPIPE) })
            }
        }

        // MARK: Errors

        @Test func anXrunLosesWhatPassesUntilTheRestart() throws {
            try withNumberedMicrophone("speed 2 faults \"at 1000 xrun\"") { device in
                let reader = try started(device)
                #expect(try readOn(reader) == (numbers(0..<1000), -EPIPE))
                #expect(reader.isOverrun)
                #expect(reader.available() == -Int(EPIPE))
                #expect(try reader.poll(milliseconds: 0) == Int16(POLLIN | POLLERR))
                let end = clock.now.advanced(by: .milliseconds(10))
                _ = eventually { clock.now >= end }
                try restart(reader)
                let (after, status) = try readOn(reader, most: 3200)
                #expect(status == 0)
                // Twice as many in a second.
                let first = try #require(after.first)
                #expect(first >= 1000 + 320)
                let goesOn = after == numbers(first..<first + 3200)
                #expect(goesOn)
            }
        }

        @Test(arguments: ["xrun", "error EIO in pointer", "error ENODEV in pointer"])
        func anErrorFromPointerIsAnXrun(fault: String) throws {
            try withNumberedMicrophone("speed 0 faults \"at 1000 \(fault) for 3 calls\"") { device in
                let reader = try started(device)
                #expect(try readOn(reader) == (numbers(0..<1000), -EPIPE))
                for _ in 0..<2 {
                    #expect(reader.isOverrun)
                    try restart(reader)
                    #expect(try readOn(reader) == ([], -EPIPE))
                }
                try restart(reader)
                // What was waiting at the two starts in vain is lost.
                #expect(try readOn(reader, most: 1000) == (numbers(1320..<2320), 0))
            }
        }

        @Test func xrunsForEverEndWhenThePCMIsOpenedAnew() throws {
            try withNumberedMicrophone("speed 0 faults \"at 1000 xrun for ever\"") { device in
                do {
                    let reader = try started(device)
                    #expect(try readOn(reader).status == -EPIPE)
                    for _ in 0..<100 {
                        try restart(reader)
                        #expect(try readOn(reader) == ([], -EPIPE))
                    }
                }
                #expect(try readOn(started(device), most: 1000) == (numbers(0..<1000), 0))
            }
        }

        @Test func anErrorFromTransferComesThroughAndCostsNoFrame() throws {
            let faults =
                "[ \"at 1000 error EIO\" \"at 2000 error ENODEV for 3 calls\" \"at 3000 error EBADFD for ever\" ]"
            try withNumberedMicrophone("speed 0 faults \(faults)") { device in
                let reader = try started(device)
                #expect(try readOn(reader) == (numbers(0..<1000), -EIO))
                #expect(reader.isRunning)
                #expect(try readOn(reader) == (numbers(1000..<2000), -ENODEV))
                #expect(try readOn(reader) == ([], -ENODEV))
                #expect(try readOn(reader) == ([], -ENODEV))
                #expect(try readOn(reader) == (numbers(2000..<3000), -EBADFD))
                for _ in 0..<100 { #expect(try readOn(reader) == ([], -EBADFD)) }
            }
        }

        // MARK: Gone

        @Test func unpluggedItIsGoneForAllUntilItsTimeIsOver() throws {
            try withNumberedMicrophone("speed 0 faults \"at 1000 unplug for 30 ms\"") { device in
                let other = try PlainReader(device, rate: 16_000, periodFrames: 160, bufferFrames: 640)
                let reader = try started(device)
                let (before, status) = try readOn(reader, most: 1000)
                #expect(before == numbers(0..<1000) && status == 0)
                let beforeUnplug = clock.now
                #expect(try readOn(reader) == ([], -ENODEV))
                let afterUnplug = clock.now
                #expect(reader.state == "DISCONNECTED")
                #expect(try reader.poll(milliseconds: 0) == Int16(POLLERR | POLLNVAL))
                #expect(reader.wait(milliseconds: 1000) == -ENODEV)
                #expect(try VoiceAudioIOTests.status { try reader.prepare() } == -ENODEV)
                #expect(try VoiceAudioIOTests.status { try reader.start() } == -ENODEV)
                #expect(try VoiceAudioIOTests.status { try reader.stop() } == -ENODEV)
                _ = other.available()
                #expect(other.state == "DISCONNECTED")
                var returned: PlainReader?
                while returned == nil {
                    do {
                        returned = try PlainReader(device, rate: 16_000, periodFrames: 160, bufferFrames: 640)
                    } catch let failure as PlainReader.Failure {
                        #expect(failure.call == "open" && failure.status == -ENODEV)
                        try #require(clock.now < afterUnplug.advanced(by: .seconds(30)))
                    }
                }
                #expect(clock.now >= beforeUnplug.advanced(by: .milliseconds(30)))
                try returned?.start()
                #expect(try returned?.read(500) == numbers(0..<500))
                // What was open before stays gone.
                #expect(try readOn(reader) == ([], -ENODEV))
            }
        }

        @Test func unpluggedForEverItDoesNotComeBack() throws {
            try withNumberedMicrophone("speed 0 faults \"at 0 unplug\"") { device in
                let (numbers, status) = try readOn(started(device))
                #expect(numbers == [] && status == -ENODEV)
                for _ in 0..<100 {
                    let failure = #expect(throws: PlainReader.Failure.self) { try started(device) }
                    #expect(failure?.status == -ENODEV)
                }
            }
        }

        /// alsa-lib answers 0 to whoever resumes an I/O plugin: the state tells.
        @Test func suspendedItResumesAtOnceOrInVainFirst() throws {
            let faults = "[ \"at 1000 suspend\" \"at 2000 suspend for 3 calls\" \"at 3000 suspend for 20 ms\" ]"
            try withNumberedMicrophone("speed 0 faults \(faults)") { device in
                let reader = try started(device)
                #expect(try readOn(reader) == (numbers(0..<1000), -ESTRPIPE))
                #expect(reader.state == "SUSPENDED")
                #expect(try reader.poll(milliseconds: 0) == Int16(POLLIN | POLLERR))
                #expect(reader.resume() == 0)
                #expect(reader.isRunning)
                #expect(try readOn(reader) == (numbers(1000..<2000), -ESTRPIPE))
                for _ in 0..<3 {
                    #expect(reader.resume() == 0)
                    #expect(reader.state == "SUSPENDED")
                }
                #expect(reader.resume() == 0)
                #expect(reader.isRunning)
                let (third, _) = try readOn(reader, most: 1000)
                #expect(third == numbers(2000..<3000))
                let beforeSuspend = clock.now
                #expect(try readOn(reader) == ([], -ESTRPIPE))
                #expect(
                    eventually {
                        _ = reader.resume()
                        return reader.isRunning
                    })
                #expect(clock.now >= beforeSuspend.advanced(by: .milliseconds(20)))
                #expect(try readOn(reader, most: 1000) == (numbers(3000..<4000), 0))
            }
        }

        @Test func whatPassesWhileSuspendedIsMissingFromTheNumbers() throws {
            try withNumberedMicrophone("speed 2 faults \"at 1000 suspend\"") { device in
                let reader = try started(device)
                #expect(try readOn(reader) == (numbers(0..<1000), -ESTRPIPE))
                let end = clock.now.advanced(by: .milliseconds(10))
                _ = eventually { clock.now >= end }
                #expect(reader.resume() == 0)
                let (after, status) = try readOn(reader, most: 320)
                let first = try #require(after.first)
                #expect(first >= 1000 + 320 && status == 0)
                let goesOn = after == numbers(first..<first + 320)
                #expect(goesOn)
            }
        }

        @Test func suspendedForEverItWorksAgainOncePrepared() throws {
            try withNumberedMicrophone("speed 2 faults \"at 1000 suspend for ever\"") { device in
                let reader = try started(device)
                #expect(try readOn(reader) == (numbers(0..<1000), -ESTRPIPE))
                for _ in 0..<100 { #expect(reader.resume() == 0) }
                #expect(reader.state == "SUSPENDED")
                try restart(reader)
                let (after, status) = try readOn(reader, most: 1000)
                let first = try #require(after.first)
                #expect(first >= 1000 && status == 0)
                let goesOn = after == numbers(first..<first + 1000)
                #expect(goesOn)
            }
        }
    }
}
