import TestSupport
import Testing
import VoiceAudioCore

@Suite struct FrameConverterTests {
    /// Converts samples given as bytes.
    func convert(
        _ bytes: [UInt8], from layout: SampleLayout, channels: Int = 1, to format: SampleFormat,
        channelsOut: Int? = nil, mono: MonoChannel = .mix
    ) -> [UInt8] {
        let format = AudioFormat(sampleRateHz: 48_000, channelCount: channelsOut ?? channels, sampleFormat: format)
        let converter = FrameConverter(from: layout, channelCount: channels, to: format, mono: mono)
        let frameCount = bytes.count / converter.sourceBytesPerFrame
        var result = [UInt8](repeating: 0xEE, count: frameCount * format.bytesPerFrame)
        // SAFETY: both buffers live for the call.
        unsafe bytes.withUnsafeBytes { source in
            unsafe result.withUnsafeMutableBytes { target in
                unsafe converter.convert(source, into: target, frameCount: frameCount)
            }
        }
        return result
    }

    func bytes<Integer: FixedWidthInteger>(_ values: [Integer]) -> [UInt8] {
        values.flatMap { value in
            (0..<Integer.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
        }
    }

    func bytes(_ values: [Float]) -> [UInt8] { bytes(values.map(\.bitPattern)) }

    static let lossless: [(SampleLayout, SampleFormat)] = [
        (.s16, .s16), (.s16, .s24), (.s16, .s32), (.s16, .f32), (.s24In3Bytes, .s24), (.s24In4Bytes, .s24),
        (.s24In3Bytes, .s32), (.s24In4Bytes, .s32), (.s24In3Bytes, .f32), (.s24In4Bytes, .f32), (.s32, .s32),
    ]

    /// Every conversion that need not lose anything can be undone to the bit.
    @Test(arguments: lossless) func wideningIsExact(source: SampleLayout, target: SampleFormat) {
        var random = SeededGenerator(seed: 7)
        var samples = (0..<20_000).map { _ in Int32(truncatingIfNeeded: random.next()) } + [.min, .max, 0, 1, -1]
        let bits = [SampleLayout.s16: 16, .s24In3Bytes: 24, .s24In4Bytes: 24, .s32: 32][source] ?? 0
        samples = samples.map { $0 >> (32 - Int32(bits)) }
        let before: [UInt8] =
            switch source {
            case .s16: bytes(samples.map { Int16(truncatingIfNeeded: $0) })
            case .s24In3Bytes: bytes(samples).enumerated().filter { $0.offset % 4 != 3 }.map(\.element)
            case .s24In4Bytes, .s32, .f32: bytes(samples)
            }
        let there = convert(before, from: source, to: target)
        let expected: [UInt8] =
            switch target {
            case .s16: bytes(samples.map { Int16(truncatingIfNeeded: $0) })
            case .s24:
                bytes(samples.map { $0 << (24 - Int32(bits)) }).enumerated().filter { $0.offset % 4 != 3 }
                    .map(\.element)
            case .s32: bytes(samples.map { $0 << (32 - Int32(bits)) })
            case .f32: bytes(samples.map { Float($0) / Float(sign: .plus, exponent: bits - 1, significand: 1) })
            }
        #expect(there == expected)
    }

    /// The bytes above 24 bits are whatever the hardware leaves there.
    @Test func paddingIsIgnored() {
        let clean = convert(bytes([Int32(0x123456), -2]), from: .s24In4Bytes, to: .s24)
        let dirty = convert(bytes([Int32(bitPattern: 0xAB12_3456), 0x7FFF_FFFE]), from: .s24In4Bytes, to: .s24)
        #expect(clean == [0x56, 0x34, 0x12, 0xFE, 0xFF, 0xFF])
        #expect(dirty == clean)
    }

    @Test func narrowingRoundsToTheNearestEvenAndSaturates() {
        let step: Int32 = 1 << 16
        let values: [Int32] = [0x7FFF, 0x8000, 0x8001, 3 * 0x8000, -0x8000, -0x8001, 5 * step, .max, .min]
        let result = convert(bytes(values), from: .s32, to: .s16)
        #expect(result == bytes([0, 0, 1, 2, 0, -1, 5, .max, .min] as [Int16]))
    }

    @Test func floatsBecomeIntegersWithinFullScale() {
        let values: [Float] = [0, 0.5, -1, 1, 2, -3, .infinity, -.infinity, .nan, 1e30, -0.000015259]
        let result = convert(bytes(values), from: .f32, to: .s16)
        #expect(result == bytes([0, 16_384, .min, .max, .max, .min, .max, .min, 0, .max, -1] as [Int16]))
        let wide = convert(bytes(values), from: .f32, to: .s32)
        #expect(wide.prefix(20) == bytes([0, 1 << 30, .min, .max, .max] as [Int32])[...])
    }

    @Test func floatsStayAsTheyAre() {
        let values: [Float] = [1.5, -2, .infinity, .leastNonzeroMagnitude, 0.1]
        #expect(convert(bytes(values), from: .f32, to: .f32) == bytes(values))
    }

    @Test(arguments: SampleFormat.allCases) func oneChannelOfSeveral(format: SampleFormat) {
        let frames = bytes([10, 20, 30, 11, 21, 31] as [Int16])
        for (number, values) in [(1, [10, 11]), (2, [20, 21]), (3, [30, 31])] as [(Int, [Int16])] {
            let result = convert(
                frames, from: .s16, channels: 3, to: format, channelsOut: 1, mono: .channel(number))
            #expect(result == convert(bytes(values), from: .s16, to: format))
        }
    }

    @Test func theMixIsTheMean() {
        let frames = bytes([100, 200, .max, .max, .min, .min, 1, 2, 3, 4, -3, 0] as [Int16])
        let result = convert(frames, from: .s16, channels: 2, to: .s16, channelsOut: 1)
        // Ties go to the even number: 1.5 to 2, 3.5 to 4, −1.5 to −2.
        #expect(result == bytes([150, .max, .min, 2, 4, -2] as [Int16]))
        // What s16 cannot say of a mean, wider samples do.
        #expect(
            convert(bytes([1, 2] as [Int16]), from: .s16, channels: 2, to: .s32, channelsOut: 1)
                == bytes([3 << 15] as [Int32]))
    }

    @Test func severalChannelsStaySeveral() {
        let frames = bytes([1, 2, 3, 4, 5, 6] as [Int16])
        #expect(convert(frames, from: .s16, channels: 3, to: .s16, mono: .channel(2)) == frames)
    }

    @Test func candidatesBeginWithTheFormatAndLeaveNoneOut() {
        for format in SampleFormat.allCases {
            let candidates = SampleLayout.candidates(for: format)
            #expect(candidates.first == SampleLayout(format))
            #expect(Set(candidates) == Set(SampleLayout.allCases))
        }
    }
}
