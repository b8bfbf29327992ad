import CLinux
import Glibc
import VoiceAudioCore

extension ProcessReport {
    /// What this process takes now.
    ///
    /// - Complexity: O(*n*) in threads and descriptors. Some 0.2 ms in a small program; 0.6 ms with 30 threads and 130
    ///   descriptors.
    public static func gather() -> Self { gather(from: "/proc/self") }

    /// - Parameter directory: Where the kernel tells of the process.
    package static func gather(from directory: String) -> Self {
        // Users may have any number of groups, and those are listed before the memory.
        let status = KernelFiles.fields(ofFile: "\(directory)/status", limit: 1 << 20) ?? [:]
        let start = secondsFromBootToStart(from: directory)
        return Self(
            processID: Int(getpid()), uptimeSeconds: start.map { max(0, secondsSinceBoot - $0) },
            startedSecondsSince1970: start.flatMap { start in bootSecondsSince1970.map { $0 + start } },
            memory: Memory(status), cpu: .current, threads: Threads(status, from: directory),
            descriptors: Descriptors(from: directory))
    }

    private static func secondsFromBootToStart(from directory: String) -> Double? {
        // The program's name, in parentheses, may hold spaces and parentheses itself: the last one ends it.
        guard let text = KernelFiles.text(ofFile: "\(directory)/stat"), let name = text.lastIndex(of: ")") else {
            return nil
        }
        // proc_pid_stat(5): the third of all fields follows the name, the 22nd is the start since boot, in ticks.
        let fields = text[text.index(after: name)...].split(separator: " ")
        guard fields.count > 19, let ticks = Double(fields[19]) else { return nil }
        return ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    private static var secondsSinceBoot: Double {
        var now = timespec()
        // SAFETY: the kernel fills a local; a valid clock id cannot fail.
        _ = unsafe clock_gettime(CLOCK_BOOTTIME, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }

    /// When the machine was started, in whole seconds. The difference of two clocks would be another one at each look.
    private static var bootSecondsSince1970: Double? {
        // It stands behind a line on all interrupts, which may be long.
        guard let bytes = KernelFiles.bytes(ofFile: "/proc/stat", limit: 1 << 20) else { return nil }
        let line = bytes.split(separator: UInt8(ascii: "\n")).first { $0.starts(with: "btime ".utf8) }
        return line.flatMap { Double(String(decoding: $0.dropFirst(6), as: UTF8.self)) }
    }
}

extension ProcessReport.Memory {
    /// - Parameter status: The fields of `/proc/PID/status`, sizes in kB.
    fileprivate init(_ status: [String: String]) {
        func bytes(_ name: String) -> Int? { number(status[name]).map { $0 * 1024 } }
        residentBytes = bytes("VmRSS")
        peakResidentBytes = bytes("VmHWM")
        sharedResidentBytes = bytes("RssShmem")
        swappedBytes = bytes("VmSwap")
    }
}

extension ProcessReport.CPU {
    /// Seconds in its own code and in the kernel.
    package var seconds: Double { userSeconds + systemSeconds }

    /// What the process took so far.
    package static var current: Self {
        var usage = rusage()
        // SAFETY: the kernel fills a local; it cannot fail for the own process.
        _ = unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return Self(userSeconds: seconds(usage.ru_utime), systemSeconds: seconds(usage.ru_stime))
    }
}

extension ProcessReport.Threads {
    fileprivate init(_ status: [String: String], from directory: String) {
        count = number(status["Threads"])
        // A thread may end while we look.
        let names = KernelFiles.names(in: "\(directory)/task").compactMap { task in
            KernelFiles.line(ofFile: "\(directory)/task/\(task)/comm")
        }
        own = names.reduce(into: [:]) { own, name in
            if name.hasPrefix("va-") { own[name, default: 0] += 1 }
        }
    }
}

extension ProcessReport.Descriptors {
    fileprivate init(from directory: String) {
        // One of them is that which reads the directory; where there is none, it could not be read.
        let count = KernelFiles.nameCount(in: "\(directory)/fd")
        open = count == 0 ? nil : count - 1
        var limits = rlimit()
        // SAFETY: the kernel fills a local.
        let status = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits)
        limit = status == 0 ? Int(clamping: limits.rlim_cur) : nil
    }
}

/// The number that a field begins with, behind white space.
private func number(_ field: String?) -> Int? {
    field?.split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) }
}
