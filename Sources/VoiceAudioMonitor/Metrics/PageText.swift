/// The bytes of a page, which grow at their end. A page has some ten thousand samples of a handful of pieces each: to ask for
/// room once a sample, and not once a piece, halves the time that a page takes.
struct PageText {
    /// What is used, and room behind it.
    private var room: [UInt8]
    private var count = 0

    /// - Parameter byteCount: About how long it will be.
    init(reserving byteCount: Int) { room = Array(repeating: 0, count: byteCount) }

    /// Hands the bytes over, uncopied, and is empty then.
    mutating func take() -> [UInt8] {
        var bytes: [UInt8] = []
        swap(&bytes, &room)
        bytes.removeLast(bytes.count - count)
        count = 0
        return bytes
    }

    mutating func append(_ bytes: [UInt8]) { append(upTo: bytes.count) { $0.put(bytes) } }

    /// Has `write` put pieces at the end.
    ///
    /// - Parameter limit: The most bytes that they have together: `write` must not put more.
    mutating func append(upTo limit: Int, _ write: (inout End) -> Void) {
        if room.count - count < limit {
            room += repeatElement(0, count: max(room.count, limit, 4096))
        }
        guard limit > 0 else { return }
        // SAFETY: the array has room for `limit` bytes behind what is used, and lives through the call.
        unsafe room.withUnsafeMutableBytes { room in
            var end = unsafe End(room.baseAddress! + count, limit: limit)
            write(&end)
            count += end.count
        }
    }

    /// Where pieces are put, one behind the other.
    @safe
    struct End {
        // SAFETY: `limit` bytes are valid as long as this is, which never leaves `append(upTo:_:)`.
        private let start: UnsafeMutableRawPointer
        private let limit: Int
        fileprivate private(set) var count = 0

        fileprivate init(_ start: UnsafeMutableRawPointer, limit: Int) {
            unsafe self.start = unsafe start
            self.limit = limit
        }

        mutating func put(_ byte: UInt8) {
            precondition(count < limit)
            // SAFETY: within the limit.
            unsafe start.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
            count += 1
        }

        mutating func put(_ bytes: [UInt8]) {
            precondition(bytes.count <= limit - count)
            // SAFETY: the array lives through the call; its bytes are within the limit.
            unsafe bytes.withUnsafeBytes { bytes in
                guard let first = bytes.baseAddress else { return }
                unsafe (start + count).copyMemory(from: first, byteCount: bytes.count)
            }
            count += bytes.count
        }

        /// Puts a number's digits.
        mutating func put(_ number: UInt) {
            var (digits, rest) = (1, number / 10)
            while rest > 0 { (digits, rest) = (digits + 1, rest / 10) }
            precondition(digits <= limit - count)
            rest = number
            for place in (count..<(count + digits)).reversed() {
                // SAFETY: within the limit.
                unsafe start.storeBytes(of: UInt8(ascii: "0") + UInt8(rest % 10), toByteOffset: place, as: UInt8.self)
                rest /= 10
            }
            count += digits
        }
    }
}
