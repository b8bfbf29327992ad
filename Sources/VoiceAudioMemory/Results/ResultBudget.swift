import VoiceAudioCore

/// How much memory a ``ResultCollector`` may hold results in.
public enum ResultBudget: Sendable, Hashable {
    /// So many bytes, 131,072 and more.
    case bytes(Int)
    /// This part of the memory that the process may use, the control group's limit or else the machine's: above 0, up
    /// to 100. It must come to 131,072 bytes, too.
    case percentOfAvailable(Double)

    /// Four blocks of which the smallest number is worth while.
    private static let minimumBytes = 128 << 10

    /// - Parameter usableBytes: What the process may use, if it is known.
    /// - Throws: `invalidConfiguration`; `outOfResources` where it had to be known.
    func limitBytes(of usableBytes: Int?) throws(AudioError) -> Int {
        let limitBytes: Int
        switch self {
        case .bytes(let byteCount):
            limitBytes = byteCount
        case .percentOfAvailable(let percent):
            limitBytes = try MemoryCapacity.part(percent, of: usableBytes, for: "a result budget")
        }
        guard limitBytes >= Self.minimumBytes else {
            throw AudioError(
                .invalidConfiguration,
                "a result budget of \(limitBytes) bytes is not accepted: \(Self.minimumBytes) and more are")
        }
        return limitBytes
    }
}
