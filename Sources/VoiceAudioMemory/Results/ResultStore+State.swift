import VoiceAudioCore

extension ResultStore {
    /// What the store's lock guards.
    struct State {
        /// Oldest first. New results go to the last.
        private(set) var held: [ResultBlock] = []
        /// Oldest first, and all older than what is held.
        private var spilled: [SpilledBlock] = []
        private(set) var file: SpillFile?
        private let reservation: MemoryReservation?
        /// Goes up with each removal of all.
        private(set) var generation = 0
        var isClosed = false
        private var isPlaceTold = false
        /// Without the limits.
        var report = ResultCollectorReport()

        init(node: MemoryBudget?) {
            reservation = node.map { MemoryReservation(in: $0, purpose: "results") }
        }

        /// Takes a result where the newest block has room.
        mutating func appendToNewest(_ bytes: [UInt8]) -> Bool {
            guard !held.isEmpty, held[held.count - 1].append(bytes) else { return false }
            report.count += 1
            return true
        }

        /// Takes a result, or changes nothing but what is on disk and what in memory.
        mutating func appendToEmptyBlock(_ bytes: [UInt8], _ settings: Settings) throws(AudioError) {
            guard !isClosed else {
                throw AudioError(.invalidState, "the result collector is closed: make a new one")
            }
            let block = try emptyBlock(for: bytes.count, settings)
            block.reset(firstIndex: report.count)
            held.append(block)
            guard appendToNewest(bytes) else { preconditionFailure("a new block has room for what it is made for") }
        }

        /// The report, once, when results are on disk for the first time.
        mutating func newPlace() -> ResultCollectorReport? {
            guard !isPlaceTold, report.spillDirectory != nil else { return nil }
            isPlaceTold = true
            return report
        }

        /// A block with room for a result, counted as held: new where the budget allows, else the oldest once it is on disk.
        private mutating func emptyBlock(for byteCount: Int, _ settings: Settings) throws(AudioError) -> ResultBlock {
            let needed = max(settings.blockBytes, ResultBlock.bytesNeeded(for: byteCount))
            let capacity = ResultBlock.roundedUpToPages(needed)
            let largest = min(settings.limitBytes, ResultBlock.maximumBytes)
            guard capacity <= largest else {
                throw AudioError(
                    .resultTooLarge, "a result of \(byteCount) bytes does not fit the largest block, \(largest) bytes")
            }
            while true {
                if report.memoryBytes + capacity <= settings.limitBytes {
                    do throws(AudioError) {
                        return try newBlock(capacity)
                    } catch {
                        // The memory that others have taken may be had for what is on disk.
                        if held.isEmpty { throw error }
                    }
                }
                let block = try spillOldest(settings)
                if block.capacity == capacity { return block }
                release(block)
            }
        }

        private mutating func newBlock(_ capacity: Int) throws(AudioError) -> ResultBlock {
            try reservation?.resize(to: report.memoryBytes + capacity)
            do throws(AudioError) {
                let block = try ResultBlock(atLeast: capacity)
                report.memoryBytes += block.capacity
                report.peakMemoryBytes = max(report.peakMemoryBytes, report.memoryBytes)
                return block
            } catch {
                try? reservation?.resize(to: report.memoryBytes)
                throw error
            }
        }

        /// Writes the oldest block to disk.
        ///
        /// - Returns: The block, which is still counted as held.
        mutating func spillOldest(_ settings: Settings) throws(AudioError) -> ResultBlock {
            let block = held[0]
            let byteCount = block.storedByteCount
            guard byteCount <= settings.spill.maximumBytes - report.spilledBytes else {
                throw AudioError(
                    .diskFull,
                    """
                    results take \(report.spilledBytes) bytes on disk, and \(byteCount) more are above the \
                    \(settings.spill.maximumBytes) that the collector's spill may have
                    """)
            }
            let file = try openFile(settings, toWrite: byteCount)
            try unsafe block.withStoredBytes { (bytes) throws(AudioError) in
                // SAFETY: the block's own memory, for the call.
                try unsafe file.write(bytes, at: report.spilledBytes)
            }
            // Of a write that failed nothing is known here, and the next one goes over it.
            spilled.append(
                SpilledBlock(
                    firstIndex: block.firstIndex, offset: report.spilledBytes, count: Int32(block.count),
                    byteCount: Int32(block.usedByteCount)))
            held.removeFirst()
            report.spilledBytes += byteCount
            report.spilledCount += block.count
            return block
        }

        /// Gives up the memory of a block that is held no more.
        mutating func release(_ block: consuming ResultBlock) {
            report.memoryBytes -= block.capacity
            // Less is never refused.
            try? reservation?.resize(to: report.memoryBytes)
        }

        mutating func removeAll() {
            held = []
            spilled = []
            file = nil
            try? reservation?.resize(to: 0)
            generation += 1
            report.count = 0
            report.memoryBytes = 0
            report.spilledCount = 0
            report.spilledBytes = 0
        }

        /// The block in memory that has result `index`.
        func heldBlock(with index: Int) -> ResultBlock? { Self.last(of: held, from: index) { $0.firstIndex } }

        /// The block on disk that has result `index`.
        func spilledBlock(with index: Int) -> ResultPlace? {
            guard let file, let block = Self.last(of: spilled, from: index, { $0.firstIndex }) else { return nil }
            return .onDisk(block, file)
        }

        /// The last block that begins with result `index` or before it. A big budget has thousands: so not one by one.
        private static func last<Block>(of blocks: [Block], from index: Int, _ firstIndex: (Block) -> Int) -> Block? {
            // The first that begins behind it.
            var (low, high) = (0, blocks.count)
            while low < high {
                let middle = (low + high) / 2
                if firstIndex(blocks[middle]) <= index { low = middle + 1 } else { high = middle }
            }
            return low > 0 ? blocks[low - 1] : nil
        }

        private mutating func openFile(_ settings: Settings, toWrite byteCount: Int) throws(AudioError) -> SpillFile {
            if let file { return file }
            let made = try settings.places.makeFile(
                minimumFreeBytes: settings.spill.minimumFreeBytes, toWrite: byteCount)
            file = made.file
            report.spillDirectory = made.file.directory
            report.temporaryDirectoryIsMemory = made.firstIsMemory
            return made.file
        }
    }
}
