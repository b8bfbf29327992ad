import CLinux
import Glibc

/// Reads the small files in which the kernel tells of itself.
package enum KernelFiles {
    /// The `name: value` lines of a small file, or of its start.
    package static func fields(ofFile path: String, limit: Int = 4096) -> [String: String]? {
        guard let text = text(ofFile: path, limit: limit) else { return nil }
        var fields: [String: String] = [:]
        for line in text.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            fields[line[..<colon].split(separator: " ").joined(separator: " ")] = String(value)
        }
        return fields
    }

    /// The start of a file, at most `limit` bytes of it.
    package static func text(ofFile path: String, limit: Int = 4096) -> String? {
        bytes(ofFile: path, limit: limit).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The same, where making a text of it would take longer than reading it.
    package static func bytes(ofFile path: String, limit: Int = 4096) -> [UInt8]? {
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
        return bytes
    }

    /// A file's first line, without what a terminal would take for commands; `nil` where there is none, or it is empty.
    package static func line(ofFile path: String) -> String? {
        guard let line = text(ofFile: path)?.split(separator: "\n").first.map(printable), !line.isEmpty else {
            return nil
        }
        return line
    }

    /// `text` without control characters, and without white space at its ends: devices name themselves.
    package static func printable(_ text: some StringProtocol) -> String {
        var scalars = text.unicodeScalars.filter { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }[...]
        scalars = scalars.drop { $0 == " " }
        while scalars.last == " " { scalars.removeLast() }
        var result = String.UnicodeScalarView()
        result.append(contentsOf: scalars)
        return String(result)
    }

    /// Where `path` leads to through all links.
    package static func resolved(_ path: String) -> String? {
        // SAFETY: the C string is ours to free, and is copied before.
        guard let target = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(target) }
        return unsafe String(cString: target)
    }

    package static func exists(_ path: String) -> Bool {
        // SAFETY: the path is NUL-terminated for the call.
        unsafe access(path, F_OK) == 0
    }

    /// Whether a node's permissions let this process open it.
    package static func canOpen(_ path: String) -> Bool {
        // SAFETY: the path is NUL-terminated for the call.
        unsafe access(path, R_OK | W_OK) == 0
    }

    /// The number that a file has in its file system; `nil` where there is no file.
    package static func fileNumber(_ path: String) -> UInt? {
        var status = stat()
        // SAFETY: the kernel fills a local.
        return unsafe stat(path, &status) == 0 ? UInt(status.st_ino) : nil
    }

    /// The names in a directory; none where it cannot be read.
    package static func names(in directory: String) -> [String] {
        var names: [String] = []
        // SAFETY: the bytes are valid for the length of each call.
        unsafe forEachName(in: directory) { bytes in
            let name = unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// How many names there are in a directory: 0 where it cannot be read. For one with many, of which no text is made.
    package static func nameCount(in directory: String) -> Int {
        var count = 0
        // SAFETY: nobody looks at the bytes.
        unsafe forEachName(in: directory) { _ in count += 1 }
        // But for the directory itself and the one above.
        return max(0, count - 2)
    }

    /// - Parameter body: Gets a name that ends with its first NUL, for as long as the call lasts.
    private static func forEachName(in directory: String, _ body: (UnsafeRawBufferPointer) -> Void) {
        // SAFETY: the stream is opened and closed here; an entry is valid until the next is read.
        guard let stream = unsafe opendir(directory) else { return }
        defer { _ = unsafe closedir(stream) }
        while let entry = unsafe readdir(stream) {
            unsafe withUnsafeBytes(of: &entry.pointee.d_name) { unsafe body($0) }
        }
    }
}
