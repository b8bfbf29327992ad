import Glibc
import VoiceAudioCore

/// Encoded results one behind the other, in memory mapped for them alone: it all goes back to the system with the block.
///
/// Their bytes grow from the front. A table with an ``Entry`` for each grows from the back towards them, and is moved to
/// them before the block goes to disk, so that all is one stretch. As each entry says by itself where its bytes are, damage
/// to one says nothing about the next.
@safe
final class ResultBlock {
    /// Bytes of memory; whole pages.
    let capacity: Int
    /// The number of its first result.
    private(set) var firstIndex = 0
    /// Results in it.
    private(set) var count = 0
    /// Bytes of the results.
    private var contentByteCount = 0
    /// Where the table ends, the first result's entry being the last.
    private var tableEnd: Int
    // SAFETY: `capacity` bytes, unmapped in deinit. Who has the block has them alone.
    private let base: UnsafeMutableRawPointer

    /// - Throws: `outOfResources`.
    init(atLeast byteCount: Int) throws(AudioError) {
        capacity = Self.roundedUpToPages(byteCount)
        tableEnd = capacity
        let mapped = unsafe mmap(nil, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else {
            throw AudioError(systemCall: "mmap", status: errno)
        }
        unsafe base = mapped
    }

    deinit { unsafe munmap(base, capacity) }

    /// The most that a block may have: a table has places of 32 bits.
    static let maximumBytes = 1 << 30

    /// Bytes that a block needs for one result of `byteCount`.
    static func bytesNeeded(for byteCount: Int) -> Int { byteCount + Entry.byteCount }

    static func roundedUpToPages(_ byteCount: Int) -> Int {
        let pageBytes = sysconf(Int32(_SC_PAGESIZE))
        return (byteCount + pageBytes - 1) / pageBytes * pageBytes
    }

    /// The number of the first result behind it.
    var endIndex: Int { firstIndex + count }

    /// Begins anew, with no result.
    func reset(firstIndex: Int) {
        self.firstIndex = firstIndex
        count = 0
        contentByteCount = 0
        tableEnd = capacity
    }

    /// Adds a result; whether there was room.
    func append(_ bytes: [UInt8]) -> Bool {
        let newTable = tableEnd - (count + 1) * Entry.byteCount
        guard newTable - contentByteCount >= bytes.count else { return false }
        // SAFETY: both lie within the memory, by the line above.
        unsafe bytes.withUnsafeBytes { source in
            let target = unsafe UnsafeMutableRawBufferPointer(start: base + contentByteCount, count: source.count)
            unsafe target.copyMemory(from: source)
            let entry = unsafe Entry(of: source, at: contentByteCount, index: endIndex)
            unsafe base.storeBytes(of: entry, toByteOffset: newTable, as: Entry.self)
        }
        contentByteCount += bytes.count
        count += 1
        return true
    }

    /// The bytes of result `index`; `nil` where they are not what was put in.
    func bytes(at index: Int) -> [UInt8]? {
        // SAFETY: the table lies within the memory; `content` is checked against what is in use.
        let entry = unsafe base.loadUnaligned(
            fromByteOffset: tableEnd - (index - firstIndex + 1) * Entry.byteCount, as: Entry.self)
        guard let range = entry.range(within: contentByteCount) else { return nil }
        let content = unsafe UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count)
        return unsafe entry.isSound(content, index: index) ? [UInt8](content) : nil
    }

    // MARK: To and from the disk

    /// Bytes of results and table.
    var usedByteCount: Int { contentByteCount + count * Entry.byteCount }

    /// Bytes that it takes on disk: whole pages, which the system writes in half the time.
    var storedByteCount: Int { Self.roundedUpToPages(usedByteCount) }

    /// Runs `body` on what is to be stored. The block takes results afterwards as before.
    func withStoredBytes<Failure: Error>(_ body: (UnsafeRawBufferPointer) throws(Failure) -> Void) throws(Failure) {
        moveTable(to: usedByteCount)
        defer { moveTable(to: capacity) }
        // SAFETY: the front of the memory, for the call.
        try unsafe body(UnsafeRawBufferPointer(start: base, count: storedByteCount))
    }

    /// Takes over what was stored; `capacity` has room for it.
    ///
    /// - Parameters:
    ///   - count: Results in it.
    ///   - byteCount: Bytes of results and table.
    ///   - body: Fills the memory with it.
    func load<Failure: Error>(
        firstIndex: Int, count: Int, byteCount: Int,
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        self.firstIndex = firstIndex
        self.count = count
        contentByteCount = byteCount - count * Entry.byteCount
        tableEnd = byteCount
        // SAFETY: the front of the memory, for the call.
        try unsafe body(UnsafeMutableRawBufferPointer(start: base, count: byteCount))
    }

    /// Takes over all that another block holds.
    func copy(_ other: ResultBlock) {
        // SAFETY: the other's content, then its table, into a stretch as long as both.
        unsafe load(firstIndex: other.firstIndex, count: other.count, byteCount: other.usedByteCount) { target in
            unsafe target.baseAddress!.copyMemory(from: other.base, byteCount: other.contentByteCount)
            unsafe (target.baseAddress! + other.contentByteCount).copyMemory(
                from: other.base + other.tableStart, byteCount: other.tableEnd - other.tableStart)
        }
    }

    private var tableStart: Int { tableEnd - count * Entry.byteCount }

    private func moveTable(to end: Int) {
        // SAFETY: the table fits before any `end` from the stored bytes' on; memmove bears the overlap.
        unsafe memmove(
            base + (end - count * Entry.byteCount), base + tableStart, count * Entry.byteCount)
        tableEnd = end
    }
}
