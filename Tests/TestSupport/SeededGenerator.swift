import Foundation

/// Random numbers that can be had again: SplitMix64.
public struct SeededGenerator: RandomNumberGenerator {
    /// To have the same numbers again, set `VOICEAUDIO_TEST_SEED` to this.
    public let seed: UInt64
    private var state: UInt64

    public init(seed: UInt64) {
        self.seed = seed
        state = seed
    }

    /// A fresh seed, or the one in `VOICEAUDIO_TEST_SEED`.
    public static func freshSeed() -> UInt64 {
        let given = ProcessInfo.processInfo.environment["VOICEAUDIO_TEST_SEED"].flatMap { UInt64($0) }
        return given ?? .random(in: 0 ... .max)
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed &>> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed &>> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed &>> 31)
    }

    /// A number from 0 up to but not including `bound`.
    public mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
