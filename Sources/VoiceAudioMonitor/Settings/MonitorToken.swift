import Glibc
import VoiceAudioCore

/// What a token may be, and how it is read from a file.
enum MonitorToken {
    static let accepted = "16 to 256 letters, digits and signs of ASCII, without spaces"

    static func isAccepted(_ token: String) -> Bool { (try? BearerToken(token)) != nil }

    /// The first line of a file, without white space around it.
    ///
    /// - Throws: `noSuchFile`, `unreadableFile`, `permissionDenied`, as the system says; `invalidConfiguration` where the line
    ///   is no token. None tells what the file has.
    static func read(fromFile path: String) throws(AudioError) -> String {
        var bytes = [UInt8](repeating: 0, count: 1024)
        let error = { AudioError(reading: path, status: $0) }
        let count = try withStatus(error) { () throws(SystemFailure) in
            // A pipe that nobody writes to is an error, and does not hold up the program's start.
            let file = try OwnedDescriptor(opening: path, O_RDONLY | O_NONBLOCK)
            // SAFETY: the array's own bytes, for the call.
            return try unsafe bytes.withUnsafeMutableBufferPointer { (room) throws(SystemFailure) in
                try unsafe file.read(into: UnsafeMutableRawBufferPointer(room), at: 0)
            }
        }
        let text = String(decoding: bytes.prefix(count), as: UTF8.self)
        let token = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).first.map(trimmed) ?? ""
        guard isAccepted(token) else {
            throw AudioError(
                .invalidConfiguration, "the first line of \"\(path)\" is no token: accepted are \(accepted)")
        }
        return token
    }
}
