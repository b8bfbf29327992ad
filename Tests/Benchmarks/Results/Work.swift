/// What each contestant writes and reads: results of 1 KiB.
struct Work {
    let count: Int
    let directory: String
    /// What one may keep in memory.
    let memoryBytes = 20 << 20
    /// They come again and again. Printable, as a result in JSON is.
    let values = (0..<1000).map(Self.text)

    private static func text(_ number: Int) -> [UInt8] {
        (0..<1024).map { (index: Int) -> UInt8 in
            let place: Int = number * 31 + index * index * 7
            return UInt8(35 + place % 57)
        }
    }

    func value(_ number: Int) -> [UInt8] { values[number % values.count] }
}

/// Whether what comes back is what was written, in order. Each 16th result is compared as a whole, and of the others the
/// last byte: comparing is timed with the reading.
struct Check {
    private let work: Work
    private var readCount = 0

    init(_ work: Work) { self.work = work }

    mutating func look(_ bytes: [UInt8]) {
        let wanted = work.value(readCount)
        guard readCount % 16 == 0 ? bytes == wanted : bytes.last == wanted.last else {
            fatalError("result \(readCount) is not what was written")
        }
        readCount += 1
    }

    func finish() {
        guard readCount == work.count else { fatalError("\(readCount) of \(work.count) results came back") }
    }
}

/// What one took, in microseconds a result.
struct Cost {
    let write: Double
    let read: Double
    var both: Double { write + read }

    /// - Parameters:
    ///   - write: Seconds for all.
    ///   - read: Seconds for all.
    init(write: Double, read: Double, of work: Work) {
        self.write = write * 1e6 / Double(work.count)
        self.read = read * 1e6 / Double(work.count)
    }
}
