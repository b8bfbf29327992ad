import Glibc
import TestSupport
import Testing
import VoiceAudioCore
import VoiceAudioIO

extension ALSARealTests {
    /// Frames come by the clock. Nothing here asks for more of the clock than a machine under load can keep.
    @Suite(.timeLimit(.minutes(5))) struct NumberedPCMPaceTests {
        private let clock = SystemClock()

        /// Frames that come from one moment to another.
        private func frames(from begin: MonotonicInstant, to end: MonotonicInstant, perSecond rate: Double) -> Double {
            Double(end.nanoseconds - begin.nanoseconds) * rate / 1e9
        }

        @Test(arguments: [0.5, 1, 4]) func framesComeByTheClock(speed: Double) throws {
            // A buffer of seconds: whoever keeps this test waiting, nothing is lost.
            let fields = "speed \(speed) formats S16_LE channels 1 rates 8000 period_frames 80 buffer_frames 240000"
            try withNumberedMicrophone(fields) { device in
                let format = AudioFormat(sampleRateHz: 8_000, channelCount: 1, sampleFormat: .s16)
                let stream = try ALSASource(device: device).open(
                    CaptureRequest(format: format, chunkFrameCount: 80), in: CaptureEnvironment())
                defer { stream.close() }
                #expect(stream.report.bufferFrames == 240_000)
                let wakeUp = CaptureWakeUp(try WakeUp())
                let rate = 8_000 * speed
                let beforeStart = clock.now
                try stream.start()
                let afterStart = clock.now
                var delivered = 0
                // A fifth of a second.
                while Double(delivered) < rate / 5 {
                    try stream.wait(orFor: wakeUp)
                    let beforeRead = clock.now
                    let (result, samples) = try stream.readSamples(frameCount: 240_000)
                    let afterRead = clock.now
                    guard case .frames(let count, _) = result else { continue }
                    #expect(samples.first.map(UInt16.init(bitPattern:)) == first16Bits(of: delivered))
                    delivered += count
                    let least = frames(from: afterStart, to: beforeRead, perSecond: rate).rounded(.down)
                    let most = frames(from: beforeStart, to: afterRead, perSecond: rate)
                    #expect(Double(delivered) >= least && Double(delivered) <= most)
                }
            }
        }

        private func first16Bits(of number: Int) -> UInt16 {
            UInt16(truncatingIfNeeded: NumberedFormat.s16.sample(number: number, channel: 0))
        }

        /// Each wake finds what the reader asked to be woken for: the descriptor does not cry wolf.
        @Test func wakesWhenEnoughIsThere() throws {
            try withNumberedMicrophone("rates 16000") { device in
                let reader = try PlainReader(device, rate: 16_000, periodFrames: 160, bufferFrames: 240_000)
                try reader.setThresholds(wakeFrames: 320, stopFrames: nil)
                #expect(try reader.poll(milliseconds: 0) == nil)
                try reader.start()
                var next: UInt32 = 0
                for _ in 0..<20 {
                    #expect(try reader.poll(milliseconds: 30_000) == Int16(POLLIN))
                    let waiting = reader.available()
                    #expect(waiting >= 320)
                    // All of it, or some, so that enough is left.
                    let numbers = try reader.read(waiting % 2 == 0 ? waiting : waiting - 320)
                    #expect(numbers == (0..<UInt32(numbers.count)).map { next + $0 })
                    next += UInt32(numbers.count)
                }
                try reader.stop()
                #expect(try reader.poll(milliseconds: 0) == Int16(POLLIN | POLLERR))
            }
        }

        /// With the stop threshold at the buffer's size, as programs have it that do not set it.
        @Test func aLateReaderFindsAnOverrunAndTheGapInTheNumbers() throws {
            try withNumberedMicrophone("speed 10 rates 48000 first_frame 7") { device in
                let reader = try PlainReader(device, rate: 48_000, periodFrames: 64, bufferFrames: 256)
                try reader.setThresholds(wakeFrames: 64, stopFrames: 256)
                let beforeFirst = clock.now
                try reader.start()
                let afterFirst = clock.now
                #expect(reader.isRunning)
                // Half a millisecond of buffer: late before long.
                try #require(eventually { reader.available() < 0 })
                #expect(reader.available() == -Int(EPIPE))
                #expect(reader.isOverrun)
                #expect(try reader.poll(milliseconds: 0) == Int16(POLLIN | POLLERR))
                let refused = #expect(throws: PlainReader.Failure.self) { try reader.read(64) }
                #expect(refused?.status == -EPIPE)

                // As long as it takes, without another.
                try reader.setThresholds(wakeFrames: 64, stopFrames: nil)
                try reader.prepare()
                let beforeSecond = clock.now
                try reader.start()
                let afterSecond = clock.now
                var taken = 0
                var number: UInt32 = 0
                // Once more where this thread was kept from its processor meanwhile: the frame has been overwritten.
                try #require(
                    eventually {
                        let waiting = reader.available()
                        guard waiting > 0, reader.forward(waiting - 1) == waiting - 1,
                            let read = try? reader.read(1).first
                        else { return false }
                        taken += waiting
                        number = read
                        return reader.available() < 256
                    })
                // It is the last of those that were waiting: the start's own number goes before them.
                let start = Double(number) - 7 - Double(taken - 1)
                #expect(start >= frames(from: afterFirst, to: beforeSecond, perSecond: 480_000).rounded(.down))
                #expect(start <= frames(from: beforeFirst, to: afterSecond, perSecond: 480_000))
            }
        }

        /// With the stop threshold at the boundary the stream goes on; what is skipped is known to the frame.
        @Test func whatALateReaderForwardsIsExactlyWhatItMisses() throws {
            try withNumberedMicrophone("rates 48000") { device in
                let reader = try PlainReader(device, rate: 48_000, periodFrames: 64, bufferFrames: 256)
                try reader.setThresholds(wakeFrames: 64, stopFrames: nil)
                try reader.start()
                var position = 0
                var roundsInTime = 0
                for round in 1...20 {
                    // Late by whole buffers, and more each time.
                    try #require(eventually { reader.available() >= 256 * round })
                    #expect(reader.isRunning)
                    #expect(try reader.poll(milliseconds: 0) == Int16(POLLIN))
                    let skipped = reader.available() - 100
                    try #require(reader.forward(skipped) == skipped)
                    position += skipped
                    let numbers = try reader.read(100).map(Int.init)
                    #expect(numbers.count == 100)
                    // Where this thread was kept from its processor, they have been overwritten again.
                    let isInTime = reader.available() <= 156
                    roundsInTime += isInTime ? 1 : 0
                    let offsets = numbers.enumerated().map { $0.element - position - $0.offset }
                    #expect(offsets.allSatisfy { isInTime ? $0 == 0 : $0 >= 0 && $0 % 256 == 0 })
                    position += numbers.count
                }
                #expect(roundsInTime > 0)
            }
        }

        /// Our capture, late by buffers again and again: what it says is lost is what is missing from the numbers.
        @Test func whatTheCaptureTellsLostIsExactlyWhatIsMissing() throws {
            try withNumberedMicrophone("speed 10 formats S32_LE channels 1") { device in
                let format = AudioFormat(sampleRateHz: 48_000, channelCount: 1, sampleFormat: .s32)
                let calls = SystemALSACalls(takesPluginsForHardware: true)
                let stream = try ALSASource(device: device, calls: calls).open(
                    CaptureRequest(format: format, chunkFrameCount: 480), in: CaptureEnvironment())
                defer { stream.close() }
                let wakeUp = CaptureWakeUp(try WakeUp())
                try stream.start()
                var position = 0
                var losses: [AudioLoss] = []
                var samples = [UInt32](repeating: 0, count: 480)
                for round in 1...10 {
                    // At ten times the pace a buffer takes this long to run over, and half again.
                    let late = format.duration(ofFrames: stream.report.bufferFrames) * (round + 2) / 20
                    let end = clock.now.advanced(by: late)
                    while clock.now < end {}
                    while losses.count < round {
                        var span = samples.mutableSpan
                        // SAFETY: any bytes are valid samples.
                        var bytes = unsafe span.mutableBytes
                        switch try stream.read(into: &bytes) {
                        case .frames(let count, _):
                            let numbers = samples[..<count].map { Int(PlainReader.number(of: $0)) }
                            let isInPlace = numbers.elementsEqual(position..<position + count)
                            #expect(isInPlace, "\(numbers.first ?? -1) at \(position), in round \(round)")
                            position += count
                        case .lost(let loss):
                            losses.append(loss)
                            position += loss.frames
                        case .nothing: try stream.wait(orFor: wakeUp)
                        case .reopened, .ended: throw Unexpected("a microphone has no end")
                        }
                    }
                }
                #expect(losses.allSatisfy { $0.isExact && $0.cause == .deviceOverrun && $0.frames > 0 })
            }
        }

        /// Who reads on without a look finds what hardware leaves in a ring: newer frames in the places of lost ones.
        @Test func aLateReaderThatDoesNotLookGetsWhatTheBufferHolds() throws {
            try withNumberedMicrophone("speed 1000 rates 48000") { device in
                let reader = try PlainReader(device, rate: 48_000, periodFrames: 64, bufferFrames: 256)
                try reader.setThresholds(wakeFrames: 64, stopFrames: nil)
                try reader.start()
                try #require(eventually { reader.available() >= 5000 })
                let before = reader.available()
                let numbers = try reader.read(256).map(Int.init)
                let after = reader.available() + 256
                #expect(numbers.count == 256)
                for (place, number) in numbers.enumerated() {
                    #expect(number % 256 == place)
                    #expect(number >= before - 256 && number < after)
                }
            }
        }

        /// Without a clock nothing is ever late, and a stop costs only what was waiting.
        @Test func withoutAClockAPeriodIsAlwaysThere() throws {
            try withNumberedMicrophone("speed 0") { device in
                let reader = try PlainReader(device, rate: 48_000, periodFrames: 64, bufferFrames: 256)
                try reader.setThresholds(wakeFrames: 1000, stopFrames: 256)
                try reader.start()
                #expect(reader.available() == 192)
                #expect(try reader.poll(milliseconds: 0) == Int16(POLLIN))
                #expect(try reader.read(10_000) == Array(0..<10_000))
                #expect(reader.available() == 192)
                try reader.stop()
                try reader.prepare()
                try reader.start()
                #expect(try reader.read(100) == Array(10_192..<10_292))
            }
        }
    }
}
