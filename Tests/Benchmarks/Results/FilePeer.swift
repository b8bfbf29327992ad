import FoundationEssentials
import Glibc
import Measuring

/// A file a result, as programs write that have no collector.
///
/// The files of each run stay until all are removed: a file system that has just lost thousands may be slow to make others.
final class FilePeer {
    private var folders: [(path: String, fileCount: Int)] = []

    /// Writes results and reads them.
    func run(_ work: Work, encode: ([UInt8]) throws -> [UInt8], decode: ([UInt8]) throws -> [UInt8]) throws -> Cost {
        let folder = "\(work.directory)/files-\(folders.count)"
        guard mkdir(folder, 0o700) == 0 else { fatalError("\(folder) cannot be made") }
        folders.append((folder, work.count))
        func path(_ number: Int) -> String { "\(folder)/\(number).json" }
        let write = try seconds {
            for number in 0..<work.count {
                let bytes = try encode(work.value(number))
                let file = open(path(number), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
                guard file >= 0, Glibc.write(file, bytes, bytes.count) == bytes.count else {
                    fatalError("\(path(number)) cannot be written")
                }
                close(file)
            }
        }
        var check = Check(work)
        let read = try seconds {
            for number in 0..<work.count {
                let file = open(path(number), O_RDONLY | O_CLOEXEC)
                guard file >= 0 else { fatalError("\(path(number)) cannot be read") }
                let bytes = [UInt8](unsafeUninitializedCapacity: 2048) { room, count in
                    count = max(0, Glibc.read(file, room.baseAddress!, room.count))
                }
                close(file)
                check.look(try decode(bytes))
            }
        }
        check.finish()
        return Cost(write: write, read: read, of: work)
    }

    /// Removes what was written.
    func removeAll() {
        for (folder, fileCount) in folders {
            for number in 0..<fileCount { unlink("\(folder)/\(number).json") }
            rmdir(folder)
        }
        folders = []
    }
}

/// A result that is made JSON, of about 1 KiB.
struct SpokenText: Codable, Sendable {
    let text: String

    init(_ bytes: [UInt8]) { text = String(decoding: bytes, as: UTF8.self) }
}
