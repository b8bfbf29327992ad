import CLinux
import Glibc
import VoiceAudioCore

/// A system call on a file failed.
struct SystemFailure: Error {
    /// The value of `errno`.
    let status: Int32
}

/// One open descriptor, closed exactly once; and each system call on files that the library makes through one.
///
/// All are opened close-on-exec.
struct OwnedDescriptor: ~Copyable {
    /// For other calls, as long as this value lives.
    let number: Int32

    /// Opens `path`.
    init(opening path: String, _ flags: Int32, mode: UInt32 = 0) throws(SystemFailure) {
        // SAFETY: the path lives through the call.
        number = try retrying { unsafe clinux_open(path, flags | O_CLOEXEC, mode) }
    }

    /// Opens `name` in an open directory.
    init(
        opening name: String, in directory: borrowing OwnedDescriptor, _ flags: Int32, mode: UInt32 = 0
    ) throws(SystemFailure) {
        let directory = directory.number
        // SAFETY: the name lives through the call.
        number = try retrying { unsafe clinux_openat(directory, name, flags | O_CLOEXEC, mode) }
    }

    deinit { close(number) }

    /// What `fstat(2)` says.
    var information: stat {
        var information = stat()
        // SAFETY: the kernel fills a local; it cannot fail on an open descriptor.
        _ = unsafe fstat(number, &information)
        return information
    }

    /// What `fstatat(2)` says of a name in this directory, or of the link itself; `nil` where there is none.
    func information(of name: String) -> stat? {
        var information = stat()
        // SAFETY: the kernel fills a local; the name lives through the call.
        return unsafe fstatat(number, name, &information, AT_SYMLINK_NOFOLLOW) == 0 ? information : nil
    }

    /// Bytes that this user may still write to the file system; `nil` where it does not say.
    var freeByteCount: Int? {
        var information = statvfs()
        // SAFETY: the kernel fills a local.
        guard unsafe fstatvfs(number, &information) == 0, information.f_blocks > 0 else { return nil }
        let (count, overflow) = information.f_bavail.multipliedReportingOverflow(by: information.f_frsize)
        return overflow ? Int.max : Int(clamping: count)
    }

    /// Waits until what was written is on the disk.
    func sync() throws(SystemFailure) {
        let number = number
        _ = try retrying { fsync(number) }
    }

    /// Cuts the file off.
    func truncate(to byteCount: Int) throws(SystemFailure) {
        let number = number
        _ = try retrying { ftruncate(number, byteCount) }
    }

    /// Takes the file's lock, which ends with the descriptor, whatever ends that; whether it was free.
    func lockIfFree() -> Bool { flock(number, LOCK_EX | LOCK_NB) == 0 }

    /// Gives the nameless file behind `file` a name in this directory.
    func link(_ file: borrowing OwnedDescriptor, as name: String) throws(SystemFailure) {
        let directory = number
        let source = "/proc/self/fd/\(file.number)"
        // SAFETY: the strings live through the call.
        _ = try retrying { unsafe linkat(CLINUX_AT_FDCWD, source, directory, name, CLINUX_AT_SYMLINK_FOLLOW) }
    }

    /// Renames a file of this directory, replacing what has the new name.
    func rename(_ name: String, to newName: String) throws(SystemFailure) {
        let directory = number
        // SAFETY: the names live through the call.
        _ = try retrying { unsafe renameat(directory, name, directory, newName) }
    }

    /// Removes a name from this directory; whether that worked.
    @discardableResult
    func unlink(_ name: String) -> Bool {
        // SAFETY: the name lives through the call.
        unsafe unlinkat(number, name, 0) == 0
    }

    /// The names in this directory.
    func names() -> [String] {
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
func withStatus<Result: ~Copyable>(
    _ error: (_ status: Int32) -> AudioError, of calls: () throws(SystemFailure) -> Result
) throws(AudioError) -> Result {
    do throws(SystemFailure) {
        return try calls()
    } catch let failure {
        throw error(failure.status)
    }
}

/// Runs calls that write to `path` or make it, and turns the status of one that fails into an error.
func withStatus<Result: ~Copyable>(
    writing path: String, of calls: () throws(SystemFailure) -> Result
) throws(AudioError) -> Result {
    try withStatus({ AudioError(writing: path, status: $0) }, of: calls)
}

/// Creates a private directory; what has the name already stays.
func makeDirectory(_ path: String) throws(SystemFailure) {
    // SAFETY: the path lives through the call.
    guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else { throw SystemFailure(status: errno) }
}

/// `path` with its symbolic links followed; as it is where there is no such file.
func resolvingLinks(_ path: String) -> String {
    // SAFETY: realpath allocates the answer, which is copied and freed.
    guard let resolved = unsafe realpath(path, nil) else { return path }
    defer { unsafe free(resolved) }
    return unsafe String(cString: resolved)
}

/// Makes a call again that a signal interrupted.
private func retrying(_ call: () -> Int32) throws(SystemFailure) -> Int32 {
    while true {
        let result = call()
        if result >= 0 { return result }
        if errno != EINTR { throw SystemFailure(status: errno) }
    }
}
