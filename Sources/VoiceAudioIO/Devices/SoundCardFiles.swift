import CLinux
import Glibc

/// Reads the small files in which the kernel tells of sound cards.
enum SoundCardFiles {
    /// The `name: value` lines of a small file.
    static func fields(ofFile path: String) -> [String: String]? {
        guard let text = text(ofFile: path) else { return nil }
        var fields: [String: String] = [:]
        for line in text.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            fields[line[..<colon].split(separator: " ").joined(separator: " ")] = String(value)
        }
        return fields
    }

    /// The start of a file, at most `limit` bytes of it.
    static func text(ofFile path: String, limit: Int = 4096) -> String? {
        // SAFETY: the path is NUL-terminated for the call, and the kernel writes within the capacity.
        let descriptor = unsafe clinux_open(path, O_RDONLY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        // The kernel gives its files out in pieces.
        while bytes.count < limit {
            let piece = unsafe [UInt8](unsafeUninitializedCapacity: min(4096, limit - bytes.count)) { room, count in
                count = unsafe max(0, Glibc.read(descriptor, room.baseAddress, room.count))
            }
            if piece.isEmpty { break }
            bytes += piece
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A file's first line, without what a terminal would take for commands; `nil` where there is none, or it is empty.
    static func line(ofFile path: String) -> String? {
        guard let line = text(ofFile: path)?.split(separator: "\n").first.map(printable), !line.isEmpty else {
            return nil
        }
        return line
    }

    /// `text` without control characters, and without white space at its ends: devices name themselves.
    static func printable(_ text: some StringProtocol) -> String {
        var scalars = text.unicodeScalars.filter { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }[...]
        scalars = scalars.drop { $0 == " " }
        while scalars.last == " " { scalars.removeLast() }
        var result = String.UnicodeScalarView()
        result.append(contentsOf: scalars)
        return String(result)
    }

    /// Where `path` leads to through all links.
    static func resolved(_ path: String) -> String? {
        // SAFETY: the C string is ours to free, and is copied before.
        guard let target = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(target) }
        return unsafe String(cString: target)
    }

    static func exists(_ path: String) -> Bool {
        // SAFETY: the path is NUL-terminated for the call.
        unsafe access(path, F_OK) == 0
    }

    /// Whether a node's permissions let this process open it.
    static func canOpen(_ path: String) -> Bool {
        // SAFETY: the path is NUL-terminated for the call.
        unsafe access(path, R_OK | W_OK) == 0
    }

    /// The number that a file has in its file system; `nil` where there is no file.
    static func fileNumber(_ path: String) -> UInt? {
        var status = stat()
        // SAFETY: the kernel fills a local.
        return unsafe stat(path, &status) == 0 ? UInt(status.st_ino) : nil
    }

    /// The names in a directory; none where it cannot be read.
    static func names(in directory: String) -> [String] {
        // SAFETY: the stream is opened and closed here, and each entry is copied before the next is read.
        guard let stream = unsafe opendir(directory) else { return [] }
        defer { _ = unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
