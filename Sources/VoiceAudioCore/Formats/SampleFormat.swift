/// How one sample is stored: little endian, interleaved.
public enum SampleFormat: String, Sendable, Hashable, CaseIterable, Codable {
    /// Signed 16-bit integer, 2 bytes.
    case s16
    /// Signed 24-bit integer, packed in 3 bytes.
    case s24
    /// Signed 32-bit integer, 4 bytes.
    case s32
    /// IEEE 754 single, −1.0…1.0, 4 bytes.
    case f32

    /// Bytes of one sample: 2, 3 or 4.
    public var bytesPerSample: Int {
        @_noLocks @_noAllocation
        get {
            switch self {
            case .s16: 2
            case .s24: 3
            case .s32, .f32: 4
            }
        }
    }
}
