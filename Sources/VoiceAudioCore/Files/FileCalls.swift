package import CLinux
import Glibc

/// A system call on a file failed.
package struct SystemFailure: Error {
    /// The value of `errno`.
    package let status: Int32
}

/// One open descriptor, closed exactly once; and each system call on files that the library makes through one.
///
/// All are opened close-on-exec.
package struct OwnedDescriptor: ~Copyable {
    /// For other calls, as long as this value lives.
    package let number: Int32

    /// Opens `path`.
    package init(opening path: String, _ flags: Int32, mode: UInt32 = 0) throws(SystemFailure) {
        // SAFETY: the path lives through the call.
        number = try retrying { unsafe clinux_open(path, flags | O_CLOEXEC, mode) }
    }

    /// Opens `name` in an open directory.
    package init(
        opening name: String, in directory: borrowing OwnedDescriptor, _ flags: Int32, mode: UInt32 = 0
    ) throws(SystemFailure) {
        let directory = directory.number
        // SAFETY: the name lives through the call.
        number = try retrying { unsafe clinux_openat(directory, name, flags | O_CLOEXEC, mode) }
    }

    /// Takes over a descriptor that is open.
    package init(owning number: Int32) { self.number = number }

    deinit { close(number) }

    /// Opens the same file anew: another open file, with an offset of its own.
    package func reopened(_ flags: Int32) throws(SystemFailure) -> OwnedDescriptor {
        try OwnedDescriptor(opening: "/proc/self/fd/\(number)", flags)
    }

    /// Whether nobody else has the file open, in whatever process, be it through a copy of a descriptor or a mapping;
    /// `false` also where the file system cannot tell.
    ///
    /// The system grants a write lease only to the file's one and only opener. It is given back at once.
    package var isOnlyOpening: Bool {
        // Whoever opens the file meanwhile has the system send a signal: one that is ignored where nobody asks for it.
        guard clinux_fcntl_int(number, CLINUX_F_SETSIG, SIGURG) == 0,
            clinux_fcntl_int(number, CLINUX_F_SETLEASE, Int32(F_WRLCK)) == 0
        else { return false }
        _ = clinux_fcntl_int(number, CLINUX_F_SETLEASE, Int32(F_UNLCK))
        return true
    }

    /// What `fstat(2)` says.
    package var information: stat {
        var information = stat()
        // SAFETY: the kernel fills a local; it cannot fail on an open descriptor.
        _ = unsafe fstat(number, &information)
        return information
    }

    /// What `fstatat(2)` says of a name in this directory, or of the link itself; `nil` where there is none.
    package func information(of name: String) -> stat? {
        var information = stat()
        // SAFETY: the kernel fills a local; the name lives through the call.
        return unsafe fstatat(number, name, &information, AT_SYMLINK_NOFOLLOW) == 0 ? information : nil
    }

    /// Bytes that this user may still write to the file system; `nil` where it does not say.
    package var freeByteCount: Int? {
        var information = statvfs()
        // SAFETY: the kernel fills a local.
        guard unsafe fstatvfs(number, &information) == 0, information.f_blocks > 0 else { return nil }
        let (count, overflow) = information.f_bavail.multipliedReportingOverflow(by: information.f_frsize)
        return overflow ? Int.max : Int(clamping: count)
    }

    /// Bytes of the whole file system; `nil` where it does not say.
    package var totalByteCount: Int? {
        var information = statvfs()
        // SAFETY: the kernel fills a local.
        guard unsafe fstatvfs(number, &information) == 0, information.f_blocks > 0 else { return nil }
        let (count, overflow) = information.f_blocks.multipliedReportingOverflow(by: information.f_frsize)
        return overflow ? Int.max : Int(clamping: count)
    }

    /// Whether the file system is memory, so that what is written there takes what it was to save; `nil` where it does
    /// not say.
    package var isInMemory: Bool? {
        var information = statfs()
        // SAFETY: the kernel fills a local.
        guard unsafe fstatfs(number, &information) == 0 else { return nil }
        return Self.memoryFileSystems.contains(information.f_type)
    }

    /// tmpfs and ramfs, by the numbers that `statfs(2)` lists.
    private static let memoryFileSystems: [Int] = [0x0102_1994, 0x8584_58F6]

    /// Writes all of `bytes` from `offset` on; of a call that fails, a part may have been written.
    package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(SystemFailure) {
        // Beyond the process's own limit a write does not fail but ends the process, by SIGXFSZ.
        var limits = rlimit()
        // SAFETY: the kernel fills a local.
        if unsafe getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limits) == 0,
            offset + bytes.count > Int(clamping: limits.rlim_cur)
        {
            throw SystemFailure(status: EFBIG)
        }
        let number = number
        var done = 0
        while done < bytes.count {
            // SAFETY: the kernel reads within the buffer.
            done += try retrying { unsafe pwrite(number, bytes.baseAddress! + done, bytes.count - done, offset + done) }
        }
    }

    /// Fills `bytes` from `offset` on.
    ///
    /// - Returns: Bytes that were there: fewer at the file's end.
    package func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws(SystemFailure) -> Int {
        let number = number
        var done = 0
        while done < bytes.count {
            // SAFETY: the kernel writes within the buffer.
            let count = try retrying {
                unsafe pread(number, bytes.baseAddress! + done, bytes.count - done, offset + done)
            }
            if count == 0 { break }
            done += count
        }
        return done
    }

    /// Waits until what was written is on the disk.
    package func sync() throws(SystemFailure) {
        let number = number
        _ = try retrying { fsync(number) }
    }

    /// Cuts the file off.
    package func truncate(to byteCount: Int) throws(SystemFailure) {
        let number = number
        _ = try retrying { ftruncate(number, byteCount) }
    }

    /// Takes the file's lock, which ends with the descriptor, whatever ends that; whether it was free.
    package func lockIfFree() -> Bool { flock(number, LOCK_EX | LOCK_NB) == 0 }

    /// Gives the nameless file behind `file` a name in this directory.
    package func link(_ file: borrowing OwnedDescriptor, as name: String) throws(SystemFailure) {
        let directory = number
        let source = "/proc/self/fd/\(file.number)"
        // SAFETY: the strings live through the call.
        _ = try retrying { unsafe linkat(CLINUX_AT_FDCWD, source, directory, name, CLINUX_AT_SYMLINK_FOLLOW) }
    }

    /// Renames a file of this directory, replacing what has the new name.
    package func rename(_ name: String, to newName: String) throws(SystemFailure) {
        let directory = number
        // SAFETY: the names live through the call.
        _ = try retrying { unsafe renameat(directory, name, directory, newName) }
    }

    /// Removes a name from this directory; whether that worked.
    @discardableResult
    package func unlink(_ name: String) -> Bool {
        // SAFETY: the name lives through the call.
        unsafe unlinkat(number, name, 0) == 0
    }

    /// The names in this directory.
    package func names() -> [String] {
        var names: [String] = []
        // fdopendir takes its descriptor over, and reads from where its offset is.
        // SAFETY: the name is a constant.
        let copy = unsafe clinux_openat(number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        // SAFETY: closedir frees the stream; an entry is valid until the next is read, and its name is copied.
        guard copy >= 0, let stream = unsafe fdopendir(copy) else { return names }
        defer { unsafe closedir(stream) }
        while let entry = unsafe readdir(stream) {
            unsafe names.append(
                withUnsafePointer(to: &entry.pointee.d_name) { name in
                    unsafe String(cString: UnsafeRawPointer(name).assumingMemoryBound(to: CChar.self))
                })
        }
        return names
    }
}

/// Runs calls, and turns the status of one that fails into an error.
package func withStatus<Result: ~Copyable>(
    _ error: (_ status: Int32) -> AudioError, of calls: () throws(SystemFailure) -> Result
) throws(AudioError) -> Result {
    do throws(SystemFailure) {
        return try calls()
    } catch let failure {
        throw error(failure.status)
    }
}

/// Runs calls that write to `path` or make it, and turns the status of one that fails into an error.
package func withStatus<Result: ~Copyable>(
    writing path: String, of calls: () throws(SystemFailure) -> Result
) throws(AudioError) -> Result {
    try withStatus({ AudioError(writing: path, status: $0) }, of: calls)
}

/// Creates a private directory; what has the name already stays.
package func makeDirectory(_ path: String) throws(SystemFailure) {
    // SAFETY: the path lives through the call.
    guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else { throw SystemFailure(status: errno) }
}

/// Makes a call again that a signal interrupted.
private func retrying<Count: BinaryInteger>(_ call: () -> Count) throws(SystemFailure) -> Count {
    while true {
        let result = call()
        if result >= 0 { return result }
        if errno != EINTR { throw SystemFailure(status: errno) }
    }
}
