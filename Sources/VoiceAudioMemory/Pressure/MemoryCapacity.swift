import VoiceAudioCore

/// How much memory this process may use.
enum MemoryCapacity {
    /// Bytes, as a monitor sees them, or else the system; `nil` where that does not tell.
    static func usableBytes(seenBy monitor: MemoryPressureMonitor?) -> Int? {
        let byteCount = monitor?.status.capacityBytes ?? (try? SystemMemorySource().sample().capacityBytes) ?? 0
        return byteCount > 0 ? byteCount : nil
    }

    /// A part of it in bytes.
    ///
    /// - Parameters:
    ///   - percent: Above 0, up to 100.
    ///   - usableBytes: The whole, if it is known.
    ///   - purpose: What messages call it: "a result budget".
    /// - Throws: `invalidConfiguration`; `outOfResources` where the whole is not known.
    static func part(_ percent: Double, of usableBytes: Int?, for purpose: String) throws(AudioError) -> Int {
        guard percent > 0, percent <= 100 else {
            throw AudioError(
                .invalidConfiguration, "\(purpose) of \(percent) % is not accepted: above 0 and up to 100 are")
        }
        guard let usableBytes else {
            throw AudioError(
                .outOfResources, "the memory of which \(purpose) is \(percent) % is not known: name bytes")
        }
        // The largest numbers are no exact `Double`, and round to one that is no `Int`.
        return Int(exactly: (Double(usableBytes) * percent / 100).rounded(.down)) ?? usableBytes
    }
}
