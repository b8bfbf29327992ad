import VoiceAudioCore

/// A block that is on disk: all that memory keeps of it.
struct SpilledBlock: Sendable {
    let firstIndex: Int
    let offset: Int
    let count: Int32
    /// Bytes of results and table.
    let byteCount: Int32
}

/// Where a result was found.
enum ResultPlace {
    /// Its bytes, where they were asked for and are sound.
    case inMemory([UInt8]?)
    case onDisk(SpilledBlock, SpillFile)
}

extension SpillFile {
    /// The bytes of one result; `nil` where they are not what was put in.
    ///
    /// - Throws: `unreadableFile`.
    func bytes(at index: Int, of block: SpilledBlock) throws(AudioError) -> [UInt8]? {
        let tableOffset = Int(block.byteCount) - Int(block.count) * ResultBlock.Entry.byteCount
        let place = Int(block.byteCount) - (index - block.firstIndex + 1) * ResultBlock.Entry.byteCount
        var entry = ResultBlock.Entry.none
        // SAFETY: an entry is plain numbers, any of which may be read; the array is as long as the entry says.
        try unsafe withUnsafeMutableBytes(of: &entry) { (bytes) throws(AudioError) in
            try unsafe read(into: bytes, at: block.offset + place)
        }
        guard let range = entry.range(within: tableOffset) else { return nil }
        var content = [UInt8](repeating: 0, count: range.count)
        var span = content.mutableSpan
        try unsafe span.withUnsafeMutableBytes { (bytes) throws(AudioError) in
            try unsafe read(into: bytes, at: block.offset + range.lowerBound)
        }
        return unsafe content.withUnsafeBytes { unsafe entry.isSound($0, index: index) } ? content : nil
    }
}
