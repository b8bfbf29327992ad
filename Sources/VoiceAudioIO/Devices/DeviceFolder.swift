import CLinux
import Glibc
import VoiceAudioCore

/// Notices changes in `/dev/snd`, and its coming and going: the kernel makes it with the first card.
///
/// > Concurrency: ``end()`` from any thread; the rest by one thread at a time.
final class DeviceFolder: Sendable {
    /// Readable when something was noticed.
    let noticing: Int32
    /// Readable for all of these, and after the time set by ``wake(after:)``.
    var descriptor: Int32 { any.descriptor }
    private let any: ReadableAny
    private let timer: TimerDescriptor
    private let ended: WakeUp
    private let dev: String
    /// The watch on `/dev`; there only while there is no `/dev/snd`, as all kinds of things happen there.
    private let parentWatch = Lock<Int32>(-1)

    init(dev: String) throws(AudioError) {
        self.dev = dev
        any = try ReadableAny()
        ended = try WakeUp()
        timer = try TimerDescriptor()
        noticing = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        // From here on deinit closes it.
        guard noticing >= 0 else { throw AudioError(systemCall: "inotify_init1", status: errno) }
        for source in [noticing, timer.descriptor, ended.descriptor] { try any.watch(source) }
        _ = try watch()
    }

    deinit { if noticing >= 0 { close(noticing) } }

    /// Readable after ``end()``.
    var ending: Int32 { ended.descriptor }

    func end() { ended.signal() }

    /// Whether anything happened that a sound card may be behind, since the last call. What it was, a look tells: so a
    /// queue that ran over loses nothing.
    func hasNoticed() throws(AudioError) -> Bool {
        var hasNoticed = false
        // To watch something else is an event, too; a folder that never rests must not hold us here.
        for _ in 0..<8 {
            guard drain() else { break }
            let wasThere = parentWatch.withLock { $0 < 0 }
            if try watch() || wasThere { hasNoticed = true }
        }
        return hasNoticed
    }

    /// Makes ``descriptor`` readable after `time`, or not at all by time.
    func wake(after time: Duration?) { timer.set(to: time) }

    /// Takes the events out, and answers whether there were any.
    private func drain() -> Bool {
        var hasFound = false
        for _ in 0..<64 {
            // SAFETY: the kernel writes within the capacity; nobody looks at what.
            let count = unsafe withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { bytes in
                unsafe read(noticing, bytes.baseAddress, bytes.count)
            }
            guard count > 0 else { break }
            hasFound = true
        }
        return hasFound
    }

    /// Watches `/dev/snd`, or `/dev` until it is there; answers whether it is.
    private func watch() throws(AudioError) -> Bool {
        try parentWatch.withLock { (parent) throws(AudioError) in
            if try isWatchingSound() {
                if parent >= 0 { inotify_rm_watch(noticing, parent) }
                parent = -1
                return true
            }
            parent = add(dev, IN_CREATE, IN_MOVED_TO)
            guard parent >= 0 else { throw failure(of: dev, status: errno) }
            // It may have come in between.
            guard try isWatchingSound() else { return false }
            inotify_rm_watch(noticing, parent)
            parent = -1
            return true
        }
    }

    private func isWatchingSound() throws(AudioError) -> Bool {
        // Doing this again changes nothing, unless it is another folder by now.
        if add("\(dev)/snd", IN_CREATE, IN_DELETE, IN_ATTRIB, IN_MOVED_TO, IN_MOVED_FROM, IN_DELETE_SELF, IN_MOVE_SELF)
            >= 0
        {
            return true
        }
        guard errno == ENOENT else { throw failure(of: "\(dev)/snd", status: errno) }
        return false
    }

    private func add(_ directory: String, _ events: Int32...) -> Int32 {
        let mask = events.reduce(UInt32(IN_ONLYDIR)) { $0 | UInt32($1) }
        // SAFETY: the string is NUL-terminated for the call.
        return unsafe inotify_add_watch(noticing, directory, mask)
    }

    private func failure(of directory: String, status: Int32) -> AudioError {
        let text = AudioError.text(ofSystemStatus: status)
        switch status {
        case ENOSPC, ENOMEM:
            return AudioError(
                .outOfResources,
                "\(directory) cannot be watched (\(text)): see fs.inotify.max_user_watches of sysctl", status: status)
        case EACCES:
            return AudioError(
                .permissionDenied, "\(directory) cannot be watched: it needs read permission", status: status)
        default: return AudioError(.deviceFailed, "\(directory) cannot be watched: \(text)", status: status)
        }
    }
}
