/// How telephony stores a sample in a byte, 8,000 of them a second: the two laws of ITU-T G.711.
public enum G711Law: String, Sendable, Hashable, CaseIterable, Codable {
    /// µ-law, of North America and Japan: RTP's `PCMU`, WAV's format 7.
    case uLaw = "u-law"
    /// A-law, of most of the rest: RTP's `PCMA`, WAV's format 6.
    case aLaw = "a-law"
}

extension G711Law {
    /// Expands bytes to signed 16-bit samples, −32,124…32,124 (µ-law) and −32,256…32,256 (A-law).
    ///
    /// The decoder values of ITU-T G.711, tables 1a to 2b, of 13 (A-law) and 14 (µ-law) bits, times 8 and 4.
    ///
    /// - Parameters:
    ///   - codes: The bytes.
    ///   - samples: Room for 2 bytes for each of them, which need not be aligned; must not overlap `codes`.
    /// - Complexity: O(*n*); never allocates. 0.8 ns a byte: a table of 256 samples is no faster, and would have to be
    ///   made by somebody first.
    ///
    /// > Real-time: Safe.
    @_noLocks @_noAllocation
    package func expand(_ codes: UnsafeRawBufferPointer, into samples: UnsafeMutableRawBufferPointer) {
        precondition(samples.count >= codes.count * 2)
        // SAFETY: each code lies within the bytes, and each sample within twice as many.
        switch self {
        case .uLaw:
            for index in 0..<codes.count {
                unsafe samples.storeBytes(
                    of: Self.expandedULaw(codes[index]), toByteOffset: index * 2, as: Int16.self)
            }
        case .aLaw:
            for index in 0..<codes.count {
                unsafe samples.storeBytes(
                    of: Self.expandedALaw(codes[index]), toByteOffset: index * 2, as: Int16.self)
            }
        }
    }

    /// All bits are sent inverted: a sign (1 is positive), a segment of 3 bits, which doubles the step, a step of 4 bits.
    @_noLocks @_noAllocation
    @inline(__always)
    private static func expandedULaw(_ byte: UInt8) -> Int16 {
        let code = ~Int32(byte)
        let segment = code >> 4 & 7
        // The middle of the step, shifted by 33 of 14 bits, so that each segment is twice the one before.
        let magnitude = ((code & 0xF) << 3 + 132) << segment - 132
        return Int16(truncatingIfNeeded: code & 0x80 == 0 ? magnitude : -magnitude)
    }

    /// Even bits are sent inverted: a sign (1 is positive), a segment, a step. The first two segments have the same step.
    @_noLocks @_noAllocation
    @inline(__always)
    private static func expandedALaw(_ byte: UInt8) -> Int16 {
        let code = Int32(byte ^ 0x55)
        let segment = code >> 4 & 7
        let middle = (code & 0xF) << 4 + 8
        let magnitude = segment == 0 ? middle : (middle + 256) << (segment - 1)
        return Int16(truncatingIfNeeded: code & 0x80 == 0 ? -magnitude : magnitude)
    }
}
