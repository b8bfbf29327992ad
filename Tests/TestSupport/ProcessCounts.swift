import Foundation
import VoiceAudioCore

/// What this process holds, from `/proc/self`.
package enum ProcessCounts {
    /// Open descriptors, without the one that is needed to count them.
    package static var descriptors: Int {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") else {
            preconditionFailure("/proc/self/fd cannot be read")
        }
        return names.count
    }

    /// The names of the threads.
    package static var threadNames: [String] {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
        return tasks.compactMap { task in
            let name = try? String(contentsOfFile: "/proc/self/task/\(task)/comm", encoding: .utf8)
            return name?.trimmingCharacters(in: .newlines)
        }
    }

    /// Threads with a name that begins so: the library's begin with `va-`.
    package static func threads(named prefix: String = "va-") -> Int { threadNames.count { $0.hasPrefix(prefix) } }

    /// Whether a sanitizer runs: it keeps what was freed for a while, so that resident memory says nothing of leaks. The
    /// address sanitizer counts leaks itself.
    package static var isSanitized: Bool {
        // SAFETY: only whether there are such symbols is asked.
        unsafe dlsym(nil, "__asan_init") != nil || isThreadSanitized
    }

    /// Whether the thread sanitizer runs.
    package static var isThreadSanitized: Bool {
        // SAFETY: as above.
        unsafe dlsym(nil, "__tsan_init") != nil
    }

    /// Resident bytes.
    package static var residentBytes: Int {
        let bytes = ProcessMemory.residentBytes
        precondition(bytes > 0, "/proc/self/statm cannot be read")
        return bytes
    }
}

/// Looks until something is so, for a minute at most, or as long as it may take.
package func eventually(within limit: Duration = .seconds(60), _ condition: () -> Bool) -> Bool {
    let deadline = ContinuousClock.now + limit
    while !condition() {
        if ContinuousClock.now >= deadline { return false }
        usleep(500)
    }
    return true
}
