import Measuring

/// SQLite's side, in C.
struct SQLitePeer {
    /// What SQLite is told before it begins.
    struct Settings {
        /// `nil` tells it nothing at all: it waits for the disk at each transaction then.
        var journal: String?
        var pageBytes = 4096

        var name: String {
            switch journal {
            case "OFF": "SQLite, no journal, no waiting for the disk, pages of \(pageBytes >> 10) KiB"
            case .some(let journal): "SQLite, journal \(journal), no waiting, pages of \(pageBytes >> 10) KiB"
            case nil: "SQLite as it comes"
            }
        }
    }

    private typealias Open =
        @convention(c) (UnsafePointer<CChar>, UnsafePointer<CChar>?, CInt, CLong) -> UnsafeMutableRawPointer
    private typealias Write = @convention(c) (UnsafeMutableRawPointer, CLong, UnsafeRawPointer, CLong, CLong) -> Void
    private typealias Give = @convention(c) (UnsafeMutableRawPointer, UnsafeRawPointer, CLong) -> Void
    private typealias Read = @convention(c) (UnsafeMutableRawPointer, UnsafeMutableRawPointer, Give) -> Void
    private typealias Close = @convention(c) (UnsafeMutableRawPointer) -> Void

    private let open: Open
    private let write: Write
    private let read: Read
    private let close: Close

    init(in peers: String?) throws(Missing) {
        let module = try PeerModule("sqlite-results.so", in: peers)
        open = module.function("results_open", as: Open.self)
        write = module.function("results_write", as: Write.self)
        read = module.function("results_read", as: Read.self)
        close = module.function("results_close", as: Close.self)
    }

    /// Writes results and reads them, each into an array of its own, as the collector gives them.
    func run(_ settings: Settings, _ work: Work) -> Cost {
        let values = work.values.flatMap { $0 }
        var database: UnsafeMutableRawPointer!
        let write = seconds {
            database = open("\(work.directory)/sqlite", settings.journal, CInt(settings.pageBytes), work.memoryBytes)
            values.withUnsafeBytes {
                self.write(database, work.count, $0.baseAddress!, work.values.count, $0.count / work.values.count)
            }
        }
        var check = Check(work)
        let read = seconds {
            withUnsafeMutablePointer(to: &check) { check in
                self.read(database, check) { check, bytes, count in
                    check.assumingMemoryBound(to: Check.self).pointee
                        .look([UInt8](UnsafeRawBufferPointer(start: bytes, count: count)))
                }
            }
        }
        check.finish()
        close(database)
        return Cost(write: write, read: read, of: work)
    }
}
