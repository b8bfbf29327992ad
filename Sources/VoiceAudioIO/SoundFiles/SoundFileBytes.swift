import CLinux
import Glibc
import VoiceAudioCore

/// The bytes that libsndfile reads or writes: a file by its descriptor, or memory.
///
/// libsndfile is not given the descriptor itself: where its `sf_open_fd` fails it may close a descriptor that it was
/// told to leave open, and it does not say why a write fell short. Here reads and writes go by positions of this
/// object, so the descriptor's own offset never moves, and the status of a failed call is kept.
final class SoundFileBytes {
    /// What messages call it.
    let name: String
    /// `errno` of the first read or write that failed; 0 while none has.
    private(set) var status: Int32 = 0
    /// Bytes there are.
    private(set) var byteCount: Int

    /// Where the next read or write begins.
    private(set) var position = 0
    /// Writes at the end of the file that went through as a whole.
    private(set) var appendCount = 0
    /// Where the last of these ended.
    private(set) var appendedByteCount = 0
    /// Bytes of the write that failed.
    private(set) var refusedByteCount = 0

    private let owner = OwningProcess()
    private let descriptor: Int32
    private let owned: OwnedDescriptor?
    private let memory: [UInt8]

    /// Opens a regular file for reading.
    ///
    /// - Throws: `noSuchFile`, `permissionDenied`, `unreadableFile` or `outOfResources`.
    init(reading path: String) throws(AudioError) {
        let file = try withStatus {
            AudioError(reading: path, status: $0)
        } of: { () throws(SystemFailure) in
            // Without O_NONBLOCK, opening a named pipe would wait for a writer.
            try OwnedDescriptor(opening: path, O_RDONLY | O_NONBLOCK)
        }
        let information = file.information
        guard information.st_mode & S_IFMT == S_IFREG else {
            let kind = information.st_mode & S_IFMT == S_IFDIR ? "a directory" : "not a regular file"
            throw AudioError(.unreadableFile, "\"\(path)\" is \(kind); name a sound file")
        }
        name = path
        memory = []
        byteCount = Int(information.st_size)
        descriptor = file.number
        owned = consume file
    }

    /// Reads bytes in memory.
    init(name: String, bytes: [UInt8]) {
        self.name = name
        memory = bytes
        descriptor = -1
        owned = nil
        byteCount = bytes.count
    }

    /// Writes an empty file, open for writing, that belongs to the caller and outlives this object.
    init(name: String, writing descriptor: Int32) {
        self.name = name
        memory = []
        self.descriptor = descriptor
        owned = nil
        byteCount = 0
    }

    /// Cuts the file off after `byteCount` bytes.
    func truncate(to byteCount: Int) {
        if owner.isCurrent, ftruncate(descriptor, byteCount) == 0 { self.byteCount = byteCount }
    }

    /// Moves the position as `lseek(2)` does; −1 where it would be negative.
    func seek(_ offset: Int, whence: Int32) -> Int {
        let base = whence == SEEK_CUR ? position : whence == SEEK_END ? byteCount : 0
        let (target, overflow) = base.addingReportingOverflow(offset)
        guard !overflow, target >= 0 else { return -1 }
        position = target
        return target
    }

    /// Reads from the position on; fewer bytes than asked for at the end or at a failure.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard descriptor >= 0 else {
            let count = min(buffer.count, memory.count - position)
            guard count > 0 else { return 0 }
            // SAFETY: `count` bytes from `position` are within the memory, and fit the buffer.
            unsafe memory.withUnsafeBytes { bytes in
                unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[position..<position + count]))
            }
            position += count
            return count
        }
        return transfer(buffer.count) { done in
            // SAFETY: the rest of the buffer begins `done` bytes in.
            unsafe pread(descriptor, buffer.baseAddress! + done, buffer.count - done, position)
        }
    }

    /// Writes at the position; fewer bytes than asked for at a failure, and none after one. A fork writes nothing: the file is
    /// its parent's.
    func write(_ buffer: UnsafeRawBufferPointer) -> Int {
        guard status == 0, owner.isCurrent else { return 0 }
        let isAppending = position == byteCount
        let count = transfer(buffer.count) { done in
            // SAFETY: the rest of the buffer begins `done` bytes in.
            unsafe pwrite(descriptor, buffer.baseAddress! + done, buffer.count - done, position)
        }
        byteCount = max(byteCount, position)
        if count < buffer.count { refusedByteCount = buffer.count }
        if isAppending && count == buffer.count {
            appendCount += 1
            appendedByteCount = byteCount
        }
        return count
    }

    /// Writes over bytes that are there, also after a failure; whether that worked.
    @discardableResult
    func overwrite(_ bytes: [UInt8], at offset: Int) -> Bool {
        guard owner.isCurrent else { return false }
        position = offset
        // SAFETY: the array lives through the call; the rest of it begins `done` bytes in.
        let count = unsafe bytes.withUnsafeBufferPointer { buffer in
            transfer(buffer.count) { done in
                unsafe pwrite(descriptor, buffer.baseAddress! + done, buffer.count - done, position)
            }
        }
        position = byteCount
        return count == bytes.count
    }

    /// Reads back what was written; whether all of it is there.
    ///
    /// - Parameter buffer: Has room for `count` bytes.
    func readBack(_ count: Int, at offset: Int, into buffer: inout [UInt8]) -> Bool {
        // SAFETY: the caller vouches for the room.
        unsafe buffer.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, count, offset) == count }
    }

    /// Repeats `call` until `count` bytes went through, it has no more, or it failed.
    private func transfer(_ count: Int, _ call: (_ done: Int) -> Int) -> Int {
        var done = 0
        while done < count {
            let moved = call(done)
            if moved < 0 && errno == EINTR { continue }
            if moved < 0 && status == 0 { status = errno }
            if moved <= 0 { break }
            done += moved
            position += moved
        }
        return done
    }
}
