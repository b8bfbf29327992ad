import Glibc

/// How loud a chunk is: root mean square and peak over all its samples.
public struct AudioLevel: Sendable, Hashable, Codable {
    /// Root mean square, 0…1, where a full-scale square wave is 1 (and a full-scale sine 0.707).
    public var rms: Float
    /// Largest magnitude, 0…1; above 1 only where `f32` samples are.
    public var peak: Float

    /// A level of the values given, 0…1 each.
    public init(rms: Float, peak: Float) {
        self.rms = rms
        self.peak = peak
    }

    /// Digital silence.
    public static let silence = AudioLevel(rms: 0, peak: 0)

    /// `rms` in decibels relative to full scale, 20 · log₁₀(rms); −∞ for silence.
    public var rmsDBFS: Float { 20 * log10f(rms) }

    /// `peak` in decibels relative to full scale, 20 · log₁₀(peak); −∞ for silence.
    public var peakDBFS: Float { 20 * log10f(peak) }

    /// Measures interleaved little-endian samples. Samples that are not a number count as silence.
    ///
    /// - Returns: Mean square and peak, in one word for an atomic: for ``init(bits:)``.
    /// - Complexity: O(*n*) in the samples; never allocates.
    ///
    /// > Real-time: Safe.
    @_noLocks @_noAllocation
    package static func measure(_ bytes: UnsafeRawBufferPointer, format: SampleFormat) -> UInt64 {
        let count = bytes.count / format.bytesPerSample
        var squares = 0.0
        var peak: Float = 0
        // SAFETY: every load lies below count × bytesPerSample.
        switch format {
        case .s16:
            // Whole numbers: exact, and quicker. A block's sum of squares stays below 2³⁰ × 2³² in 64 bits.
            var sum: UInt64 = 0
            var highest: UInt16 = 0
            for index in 0..<count {
                let magnitude = unsafe bytes.loadUnaligned(fromByteOffset: index * 2, as: Int16.self).magnitude
                sum &+= UInt64(magnitude) &* UInt64(magnitude)
                highest = max(highest, magnitude)
            }
            squares = Double(sum) / (32_768.0 * 32_768.0)
            peak = Float(highest) / 32_768
        case .s24:
            for index in 0..<count {
                let low = UInt32(unsafe bytes.loadUnaligned(fromByteOffset: index * 3, as: UInt16.self))
                let high = UInt32(unsafe bytes.loadUnaligned(fromByteOffset: index * 3 + 2, as: UInt8.self))
                let value = Float(Int32(bitPattern: (high << 16 | low) << 8)) / 2_147_483_648
                squares += Double(value) * Double(value)
                peak = max(peak, value.magnitude)
            }
        case .s32:
            for index in 0..<count {
                let value = Float(unsafe bytes.loadUnaligned(fromByteOffset: index * 4, as: Int32.self)) / 2_147_483_648
                squares += Double(value) * Double(value)
                peak = max(peak, value.magnitude)
            }
        case .f32:
            for index in 0..<count {
                let value = unsafe bytes.loadUnaligned(fromByteOffset: index * 4, as: Float.self)
                guard value.magnitude <= .greatestFiniteMagnitude else { continue }
                squares += Double(value) * Double(value)
                peak = max(peak, value.magnitude)
            }
        }
        let meanSquare = Float(squares / Double(max(count, 1)))
        return UInt64(meanSquare.bitPattern) &<< 32 | UInt64(peak.bitPattern)
    }

    /// What ``measure(_:format:)`` found.
    package init(bits: UInt64) {
        self.init(
            rms: Float(bitPattern: UInt32(truncatingIfNeeded: bits >> 32)).squareRoot(),
            peak: Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
    }
}
