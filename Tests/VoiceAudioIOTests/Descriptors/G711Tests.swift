import Foundation
import Testing
import VoiceAudioCore

@testable import VoiceAudioIO

@Suite struct G711Tests {
    func expanded(_ codes: [UInt8], _ law: G711Law) -> [Int16] {
        var samples = [Int16](repeating: 0x5555, count: codes.count)
        // SAFETY: both arrays live for the call.
        unsafe codes.withUnsafeBytes { codes in
            unsafe samples.withUnsafeMutableBytes { unsafe law.expand(codes, into: $0) }
        }
        return samples
    }

    /// A WAV file's header and every code, for libsndfile's decoder.
    @Test(arguments: G711Law.allCases) func everyCodeIsAsLibsndfileExpandsIt(law: G711Law) throws {
        let codes = Array(UInt8.min...UInt8.max)
        let file = wavBytes(code: law == .uLaw ? 7 : 6, channels: 1, bits: 8, rate: 8_000, data: codes)
        let theirs = try SoundFileReader(bytes: file, name: "codes").readAll(as: .s16)
        #expect(theirs.count == 512)
        #expect(rawBytes(of: expanded(codes, law)) == theirs)
    }

    /// Values of the recommendation's tables: the ends, the smallest, and silence.
    @Test func theRecommendationsValues() {
        #expect(expanded([0x00, 0x80, 0x7F, 0xFF, 0xFE, 0x7E], .uLaw) == [-32_124, 32_124, 0, 0, 8, -8])
        #expect(expanded([0x2A, 0xAA, 0xD5, 0x55, 0xC5], .aLaw) == [-32_256, 32_256, 8, -8, 264])
    }

    @Test func nothingGivesNothing() {
        #expect(expanded([], .uLaw).isEmpty)
        #expect(expanded([], .aLaw).isEmpty)
    }
}

/// A WAV file: what its `fmt ` chunk says, chunks before the frames, and the frames, with the sizes told or those given.
func wavBytes(
    code: UInt16 = 1, channels: UInt16, bits: UInt16, rate: UInt32, extra: [UInt8] = [], before: [UInt8] = [],
    dataByteCount: UInt32? = nil, riffByteCount: UInt32? = nil, data: [UInt8]
) -> [UInt8] {
    let frameBytes = channels * bits / 8
    let format =
        rawBytes(of: [code, channels]) + rawBytes(of: [rate, rate * UInt32(frameBytes)])
        + rawBytes(of: [frameBytes, bits]) + extra
    let chunks =
        Array("WAVEfmt ".utf8) + rawBytes(of: [UInt32(format.count)]) + format + before + Array("data".utf8)
        + rawBytes(of: [dataByteCount ?? UInt32(data.count)]) + data
    return Array("RIFF".utf8) + rawBytes(of: [riffByteCount ?? UInt32(chunks.count)]) + chunks
}
