/// How a device stores one sample, by the kernel's names: little endian, interleaved.
///
/// ``SampleFormat`` is what programs get; hardware has one layout more, 24 bits in 4 bytes.
package enum SampleLayout: String, Sendable, Hashable, CaseIterable {
    case s16 = "S16_LE"
    /// Packed: 3 bytes a sample.
    case s24In3Bytes = "S24_3LE"
    /// The lower 24 of 32 bits; what the uppermost 8 hold is not defined.
    case s24In4Bytes = "S24_LE"
    case s32 = "S32_LE"
    case f32 = "FLOAT_LE"

    /// The layout of samples of `format`.
    package init(_ format: SampleFormat) {
        switch format {
        case .s16: self = .s16
        case .s24: self = .s24In3Bytes
        case .s32: self = .s32
        case .f32: self = .f32
        }
    }

    /// Bytes of one sample: 2, 3 or 4.
    package var bytesPerSample: Int {
        @_noLocks @_noAllocation
        get {
            switch self {
            case .s16: 2
            case .s24In3Bytes: 3
            case .s24In4Bytes, .s32, .f32: 4
            }
        }
    }

    /// The layouts from which `format` can be made, best first: itself, then those that hold as much, then the others.
    package static func candidates(for format: SampleFormat) -> [SampleLayout] {
        switch format {
        case .s16: [.s16, .s32, .s24In4Bytes, .s24In3Bytes, .f32]
        case .s24: [.s24In3Bytes, .s24In4Bytes, .s32, .f32, .s16]
        case .s32: [.s32, .s24In4Bytes, .s24In3Bytes, .f32, .s16]
        case .f32: [.f32, .s24In4Bytes, .s24In3Bytes, .s32, .s16]
        }
    }
}
