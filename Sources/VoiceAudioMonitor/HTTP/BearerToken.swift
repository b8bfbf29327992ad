import VoiceAudioCore

/// What a request must have to do more than look from this machine.
struct BearerToken: Sendable {
    private static let lengths = 16...256
    private let padded: [UInt8]

    /// - Throws: `invalidConfiguration`.
    init(_ text: String) throws(AudioError) {
        guard Self.lengths.contains(text.utf8.count), text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            // The token itself is not for logs.
            throw AudioError(
                .invalidConfiguration,
                "the monitor's token of \(text.utf8.count) bytes: accepted are 16 to 256 letters, digits and signs of ASCII, without spaces"
            )
        }
        padded = Self.padded(text)
    }

    /// Whether an `Authorization` header has it. Takes as long whatever differs.
    func isIn(_ header: String?) -> Bool {
        guard let header, header.prefix(7).lowercased() == "bearer " else { return false }
        let given = header.dropFirst(7).drop { $0 == " " }
        guard given.utf8.count <= Self.lengths.upperBound else { return false }
        return zip(padded, Self.padded(given)).reduce(into: UInt8(0)) { $0 |= $1.0 ^ $1.1 } == 0
    }

    /// All are of one length. No byte of a token is the filler's.
    private static func padded(_ text: some StringProtocol) -> [UInt8] {
        [UInt8](text.utf8) + [UInt8](repeating: 0, count: lengths.upperBound - text.utf8.count)
    }
}
