/// How samples become numbers and numbers samples.
///
/// A double holds every sample exactly. 1.0 is 2ⁿ⁻¹ of an integer of n bits; what is not a number becomes integer 0.
extension SampleLayout {
    /// The sample at a place, as −1.0…1.0: exact, as a double holds 53 bits.
    // SAFETY: the caller stays within the bytes.
    @_noLocks @_noAllocation
    @inline(__always)
    @unsafe package func load(from bytes: UnsafeRawBufferPointer, at index: Int) -> Double {
        switch self {
        case .s16:
            return Double(unsafe bytes.loadUnaligned(fromByteOffset: index * 2, as: Int16.self)) / 32_768
        case .s24In3Bytes:
            let low = UInt32(unsafe bytes.loadUnaligned(fromByteOffset: index * 3, as: UInt16.self))
            let high = UInt32(unsafe bytes.loadUnaligned(fromByteOffset: index * 3 + 2, as: UInt8.self))
            return Double(Int32(bitPattern: (high << 16 | low) << 8)) / 2_147_483_648
        case .s24In4Bytes:
            let word = unsafe bytes.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self)
            return Double(Int32(bitPattern: word << 8)) / 2_147_483_648
        case .s32:
            return Double(unsafe bytes.loadUnaligned(fromByteOffset: index * 4, as: Int32.self)) / 2_147_483_648
        case .f32:
            return Double(unsafe bytes.loadUnaligned(fromByteOffset: index * 4, as: Float.self))
        }
    }

    /// Writes a sample, −1.0…1.0, to a place: rounded to the nearest, ties to even, and clipped.
    // SAFETY: the caller stays within the bytes.
    @_noLocks @_noAllocation
    @inline(__always)
    @unsafe package func store(_ value: Double, to bytes: UnsafeMutableRawBufferPointer, at index: Int) {
        switch self {
        case .s16:
            let sample = Int16(truncatingIfNeeded: Self.quantised(value, scale: 32_768))
            unsafe bytes.storeBytes(of: sample, toByteOffset: index * 2, as: Int16.self)
        case .s24In3Bytes:
            let sample = Self.quantised(value, scale: 8_388_608)
            unsafe bytes.storeBytes(of: UInt16(truncatingIfNeeded: sample), toByteOffset: index * 3, as: UInt16.self)
            unsafe bytes.storeBytes(
                of: UInt8(truncatingIfNeeded: sample >> 16), toByteOffset: index * 3 + 2, as: UInt8.self)
        case .s24In4Bytes:
            let sample = Int32(truncatingIfNeeded: Self.quantised(value, scale: 8_388_608))
            unsafe bytes.storeBytes(of: sample, toByteOffset: index * 4, as: Int32.self)
        case .s32:
            let sample = Int32(truncatingIfNeeded: Self.quantised(value, scale: 2_147_483_648))
            unsafe bytes.storeBytes(of: sample, toByteOffset: index * 4, as: Int32.self)
        case .f32:
            unsafe bytes.storeBytes(of: Float(value), toByteOffset: index * 4, as: Float.self)
        }
    }

    /// The nearest integer of `value` × `scale` within −`scale`…`scale` − 1.
    @_noLocks @_noAllocation
    @inline(__always)
    private static func quantised(_ value: Double, scale: Double) -> Int {
        guard value == value else { return 0 }
        // Adding 1.5 × 2⁵² leaves a double no bits for a fraction: the sum is rounded to the nearest, ties to even.
        let magic = 6_755_399_441_055_744.0
        return Int(max(-scale, min(scale - 1, value * scale)) + magic - magic)
    }
}
