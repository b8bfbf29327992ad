import CLinux
import Foundation
import TestSupport
import Testing
import VoiceAudioCore

@testable import VoiceAudioIO

/// Frames out of bytes that come as they like.
@Suite(.timeLimit(.minutes(5))) struct DescriptorStreamTests {
    private let format = AudioFormat.speech

    /// Some pieces, none of which is a frame.
    @Test(arguments: [false, true], [1, 2, 6]) func piecesOfAnyLengthMakeWholeFrames(
        sockets: Bool, channels: Int
    ) throws {
        let format = AudioFormat(sampleRateHz: 48_000, channelCount: channels, sampleFormat: .s24)
        let bytes = sampleBytes(30_000, of: format)
        let pipe = try TestPipe(sockets: sockets)
        let writeEnd = pipe.writeEnd
        let writer = try ThreadResult {
            var random = SeededGenerator(seed: UInt64(channels))
            var position = 0
            while position < bytes.count {
                let next = min(bytes.count, position + 1 + random.below(random.below(10) == 0 ? 40_000 : 40))
                try writeAll(Array(bytes[position..<next]), to: writeEnd)
                position = next
            }
            // And a piece of a frame.
            try writeAll([1, 2], to: writeEnd)
            shutdown(writeEnd, Int32(SHUT_WR))
        }
        let log = KeptLog()
        let readEnd = pipe.readEnd
        let reading = try ThreadResult { try received(from: readEnd, .raw(nil), as: format, log: log) }
        try writer.value()
        pipe.finish()
        #expect(try reading.value() == bytes)
        #expect(log.messages == ["warning: the stream ended within a frame: its last 2 bytes are none"])
    }

    @Test func declaredShapesAreConverted() throws {
        let codes = Array(UInt8.min...UInt8.max)
        for law in G711Law.allCases {
            let wav = wavBytes(code: law == .uLaw ? 7 : 6, channels: 1, bits: 8, rate: 16_000, data: codes)
            let shape = StreamFormat(sampleRateHz: 16_000, channelCount: 1, encoding: .g711(law))
            for sampleFormat in SampleFormat.allCases {
                let format = AudioFormat(sampleRateHz: 16_000, channelCount: 1, sampleFormat: sampleFormat)
                let theirs = try SoundFileReader(bytes: wav, name: "codes").readAll(as: sampleFormat)
                #expect(try received(codes, .raw(shape), as: format) == theirs)
                #expect(try received(wav, .wav, as: format) == theirs)
            }
            // The second of two channels, and their mean.
            let stereo = StreamFormat(sampleRateHz: 16_000, channelCount: 2, encoding: .g711(law))
            let samples = typed(Int16.self, of: try received(codes, .raw(shape), as: format))
            #expect(
                typed(Int16.self, of: try received(codes, .raw(stereo), as: format, mono: .channel(2)))
                    == samples.indices.filter { $0 % 2 == 1 }.map { samples[$0] })
            #expect(
                typed(Int16.self, of: try received(codes, .raw(stereo), as: format))
                    == stride(from: 0, to: 256, by: 2).map {
                        Int16((Double(samples[$0]) / 2 + Double(samples[$0 + 1]) / 2).rounded(.toNearestOrEven))
                    })
        }
        let bytes = StreamFormat(sampleRateHz: 16_000, channelCount: 1, encoding: .u8)
        let wide = try received(codes, .raw(bytes), as: format)
        let ramp = (Int16(-128)..<128).map { $0 * 256 }
        #expect(typed(Int16.self, of: wide) == ramp)
        let floats = rawBytes(of: [Float(0.5), -1, 2])
        let shape = StreamFormat(sampleRateHz: 16_000, channelCount: 1, encoding: .pcm(.f32))
        #expect(typed(Int16.self, of: try received(floats, .raw(shape), as: format)) == [16_384, .min, .max])
    }

    @Test func theReportTellsWhatComes() throws {
        let pipe = try TestPipe()
        let shape = StreamFormat(sampleRateHz: 16_000, channelCount: 2, encoding: .g711(.aLaw))
        let source = DescriptorSource(descriptor: pipe.readEnd, contents: .raw(shape), name: "call")
        let report = try StreamReading(source, as: format, mono: .channel(2)).stream.report
        #expect(
            report
                == CaptureReport(
                    source: "call", format: format, hardware: "16000 Hz, 2 ch, a-law",
                    conversions: ["channel 2 of 2", "a-law to s16"], requestedPeriodFrames: 160, periodFrames: 160))
        let plain = try TestPipe()
        let other = try StreamReading(DescriptorSource(descriptor: plain.readEnd, contents: .raw(nil)), as: format)
        #expect(other.stream.report.hardware == nil)
        #expect(other.stream.report.conversions.isEmpty)
        expectError(.unsupportedFormat) {
            let pipe = try TestPipe()
            _ = try received(from: pipe.readEnd, .raw(.g711uLaw8k), as: format)
        }
        expectError(.unsupportedFormat) {
            let pipe = try TestPipe()
            _ = try received(from: pipe.readEnd, .raw(shape), as: format, mono: .channel(3))
        }
    }

    /// What waits behind frames came after them.
    @Test(arguments: [false, true]) func timesAreArrivalLessDuration(sockets: Bool) throws {
        let clock = ManualClock()
        let pipe = try TestPipe(sockets: sockets)
        let reading = try StreamReading(
            DescriptorSource(descriptor: pipe.readEnd, contents: .raw(nil)), as: format, clock: clock)
        try pipe.write([UInt8](repeating: 1, count: 2 * 320 + 1))
        let start = clock.now
        #expect(try reading.read().bytes.count == 320)
        #expect(try reading.read().bytes.count == 320)
        clock.advance(by: .milliseconds(50))
        try pipe.write([UInt8](repeating: 1, count: 15))
        #expect(try reading.read().bytes.count == 16)
        // Much at once, as no microphone sends: not before what was told already.
        try pipe.write([UInt8](repeating: 1, count: 32_000))
        #expect(try reading.read().bytes.count == 320)
        let told = reading.captureTimes.map { start.duration(to: $0) }
        #expect(
            told == [
                .milliseconds(-20), .milliseconds(-10), .milliseconds(50) - .microseconds(500),
                .milliseconds(50) - .microseconds(500),
            ])
        #expect(reading.stream.timing.clock == .arrival)
    }

    /// Ten seconds at once, four in each second from then on, and never more at once however long nothing came.
    @Test func aFastSenderIsReadAtAPaceThatListenersKeep() throws {
        let clock = ManualClock()
        let scratch = Scratch()
        let path = scratch.file("a.raw")
        let samples = sampleBytes(35 * 16_000, of: format)
        try Data(samples).write(to: URL(fileURLWithPath: path))
        // SAFETY: the path lives through the call.
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        let reading = try StreamReading(
            DescriptorSource(descriptor: file, contents: .raw(nil)), as: format, clock: clock)
        var all: [UInt8] = []
        /// What comes until nothing does, in hundredths of a second.
        func readOn() throws -> (chunks: Int, result: CaptureRead) {
            var chunks = 0
            while true {
                let (bytes, result) = try reading.read()
                guard !bytes.isEmpty else { return (chunks, result) }
                all += bytes
                chunks += 1
            }
        }
        // The read that reaches the limit may be a chunk.
        #expect(1000...1001 ~= (try readOn().chunks))
        clock.advance(by: .seconds(1))
        #expect(399...401 ~= (try readOn().chunks))
        // A wait is as long as it must be, and a wake-up ends it.
        let handed = SendableReading(reading)
        let mark = clock.waitsBegun
        let waiting = try ThreadResult {
            try handed.value.stream.wait(orFor: CaptureWakeUp(handed.value.wakeUp))
        }
        #expect(clock.waitUntilWaiting(after: mark))
        clock.advance(by: .milliseconds(10))
        try waiting.value()
        #expect(try readOn().chunks > 0)
        reading.wakeUp.signal()
        try reading.stream.wait(orFor: CaptureWakeUp(reading.wakeUp))
        #expect(try readOn().result == .nothing)
        clock.advance(by: .seconds(3600))
        #expect(1000...1001 ~= (try readOn().chunks))
        clock.advance(by: .seconds(3600))
        let rest = try readOn()
        #expect(rest.result == .nothing)
        clock.advance(by: .seconds(3600))
        #expect(try readOn().result == .ended)
        #expect(all == samples)
        reading.stream.close()
    }

    /// Who waits for a sender that sends nothing is woken, and the sender's end wakes, too.
    @Test(arguments: [DescriptorSource.Contents.raw(nil), .wav, .automatic]) func waitingEnds(
        contents: DescriptorSource.Contents
    ) throws {
        let clock = ManualClock()
        let pipe = try TestPipe()
        let source = DescriptorSource(descriptor: pipe.readEnd, contents: contents)
        let format = format
        let opening = try ThreadResult { SendableReading(try StreamReading(source, as: format, clock: clock)) }
        // A header is waited for for two seconds, and not longer.
        if contents != .raw(nil) {
            #expect(clock.waitUntilWaiting(dueWithin: .seconds(2)))
            clock.advance(by: .seconds(2))
        }
        let reading = try opening.value()
        #expect(try reading.value.read().result == .nothing)
        let mark = clock.waitsBegun
        let waiting = try ThreadResult { try reading.value.stream.wait(orFor: CaptureWakeUp(reading.value.wakeUp)) }
        #expect(clock.waitUntilWaiting(after: mark))
        reading.value.wakeUp.signal()
        try waiting.value()
        #expect(try reading.value.read().result == .nothing)
        reading.value.wakeUp.clear()
        let next = try ThreadResult { try reading.value.stream.wait(orFor: CaptureWakeUp(reading.value.wakeUp)) }
        pipe.finish()
        try next.value()
        if contents == .wav {
            expectError(.unreadableFile) { _ = try reading.value.read() }
        } else {
            #expect(try reading.value.read().result == .ended)
        }
        reading.value.stream.close()
    }

    /// A header that comes late is read when it does.
    @Test func aHeaderMayComeLate() throws {
        let clock = ManualClock()
        let pipe = try TestPipe()
        let source = DescriptorSource(descriptor: pipe.readEnd, contents: .wav)
        let format = format
        let opening = try ThreadResult { SendableReading(try StreamReading(source, as: format, clock: clock)) }
        #expect(clock.waitUntilWaiting(dueWithin: .seconds(2)))
        clock.advance(by: .seconds(3))
        let reading = try opening.value().value
        let samples = sampleBytes(100, of: format)
        let bytes = wavBytes(channels: 1, bits: 16, rate: 16_000, dataByteCount: 0, data: samples)
        try pipe.write(Array(bytes[..<20]))
        #expect(try reading.read().result == .nothing)
        try pipe.write(Array(bytes[20...]))
        pipe.finish()
        #expect(try reading.readAll() == samples)
    }

    /// A socket that is closed with something unread in it resets the other.
    @Test func aSenderThatDiesIsLost() throws {
        let pipe = try TestPipe(sockets: true)
        let reading = try StreamReading(DescriptorSource(descriptor: pipe.readEnd, contents: .raw(nil)), as: format)
        try writeAll([1], to: pipe.readEnd)
        try pipe.write([UInt8](repeating: 5, count: 100))
        pipe.finish()
        // What it sent before still counts.
        #expect(try reading.read().bytes.count == 100)
        // A child of another test has the sender's end, too, until its program begins.
        var error: AudioError?
        _ = eventually {
            do { _ = try reading.read() } catch let failure { error = failure as? AudioError }
            return error != nil
        }
        #expect(error?.code == .deviceLost && error?.status == ECONNRESET)
        #expect(error?.message.contains("fd:\(pipe.readEnd)") == true)
        reading.stream.close()
    }

    @Test func aDescriptorThatFailsIsTold() throws {
        let pipe = try TestPipe()
        let reading = try StreamReading(DescriptorSource(descriptor: pipe.readEnd, contents: .raw(nil)), as: format)
        // A directory in its place cannot be read.
        // SAFETY: a constant path.
        let directory = unsafe open("/", O_RDONLY | O_CLOEXEC)
        #expect(dup2(directory, pipe.readEnd) == pipe.readEnd)
        close(directory)
        let error = expectError(.deviceFailed) { _ = try reading.read() }
        #expect(error?.status == EISDIR)
        reading.stream.close()
    }

    /// A shell's standard input may be shared with it.
    @Test(arguments: [false, true]) func flagsAreLeftAlone(isNonBlocking: Bool) throws {
        let pipe = try TestPipe()
        if isNonBlocking { _ = clinux_fcntl_int(pipe.readEnd, F_SETFL, O_NONBLOCK) }
        let copy = dup(pipe.readEnd)
        defer { close(copy) }
        let before = clinux_fcntl_int(copy, F_GETFL, 0)
        let reading = try StreamReading(DescriptorSource(descriptor: pipe.readEnd, contents: .raw(nil)), as: format)
        #expect(clinux_fcntl_int(copy, F_GETFL, 0) == before)
        #expect(try reading.read().result == .nothing)
        try pipe.write([1, 2, 3])
        #expect(try reading.read().bytes == [1, 2])
        #expect(try reading.read().result == .nothing)
        pipe.finish()
        // A child of another test has the writer, too, until its program begins.
        #expect(eventually { (try? reading.read().result) == .ended })
        reading.stream.close()
        #expect(clinux_fcntl_int(copy, F_GETFL, 0) == before)
    }

    @Test func aFileIsReadToItsEnd() throws {
        let scratch = Scratch()
        let samples = sampleBytes(100_000, of: format)
        let path = scratch.file("a.wav")
        try Data(wavBytes(channels: 1, bits: 16, rate: 16_000, data: samples)).write(to: URL(fileURLWithPath: path))
        // SAFETY: the path lives through the call.
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        let opened = VoiceAudioIOTests.file(of: file)
        #expect(try received(from: file, .automatic, as: format) == samples)
        #expect(VoiceAudioIOTests.file(of: file) != opened)
    }
}

/// Handed from the thread that opens to the test, one after the other.
struct SendableReading: @unchecked Sendable {
    let value: StreamReading

    init(_ value: StreamReading) { self.value = value }
}

/// Sends small chunks that nobody needs until it is told to end, or nobody reads them.
final class WorkerThreadOfJunk {
    private let sender: ThreadResult<Void>

    init(to writeEnd: Int32) throws {
        let start = wavBytes(channels: 1, bits: 16, rate: 8000, data: [])
        let chunk = Array("JUNK".utf8) + [100, 0, 0, 0] + [UInt8](repeating: 0x64, count: 100)
        sender = try ThreadResult {
            // A pipe that nobody reads ends the process, unless the thread blocks the signal: worker threads do.
            try writeAll(Array(start[..<36]), to: writeEnd)
            do { while true { try writeAll(chunk, to: writeEnd) } } catch {}
        }
    }

    func end() throws { try sender.value() }
}
