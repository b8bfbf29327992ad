import Glibc
import VoiceAudioCore

/// Where the kernel tells of memory; below a directory of its own in a test.
struct MemoryFiles: Sendable {
    /// Stands before every path.
    let root: String
    /// systemd's `$MEMORY_PRESSURE_WATCH` and `$MEMORY_PRESSURE_WRITE`.
    let pressureWatch: String?
    let pressureWrite: String?
    let meminfo: String
    private let ownGroups: String

    init(root: String = "", pressureWatch: String? = nil, pressureWrite: String? = nil) {
        self.root = root
        self.pressureWatch = pressureWatch
        self.pressureWrite = pressureWrite
        meminfo = root + "/proc/meminfo"
        ownGroups = root + "/proc/self/cgroup"
    }

    static var system: MemoryFiles {
        MemoryFiles(
            pressureWatch: environmentVariable("MEMORY_PRESSURE_WATCH"),
            pressureWrite: environmentVariable("MEMORY_PRESSURE_WRITE"))
    }

    /// In which groups this process is, as the kernel writes it.
    var membership: [UInt8] { KernelFiles.bytes(ofFile: ownGroups, limit: 65_536) ?? [] }

    /// What is mounted where, as the kernel writes it.
    var mounts: String { KernelFiles.text(ofFile: root + "/proc/self/mountinfo", limit: 4 << 20) ?? "" }

    /// The machine's memory; `nil` where that is not to be known.
    var machineLimit: MemoryLimit? {
        guard let text = KernelFiles.bytes(ofFile: meminfo, limit: 16_384),
            let total = Self.number(named: "MemTotal:", in: text), total > 0, total < Int.max / 1024,
            let available = Self.number(named: "MemAvailable:", in: text)
        else { return nil }
        return MemoryLimit(
            origin: .machine, limitBytes: total * 1024, usedBytes: (total - min(available, total)) * 1024)
    }

    /// What may take a pressure-stall trigger, best first.
    func stallFiles(of group: MemoryGroup) -> [StallTrigger.File] {
        // systemd's way to say that nobody is to watch.
        if pressureWatch == "/dev/null" { return [] }
        let named = pressureWatch.map {
            StallTrigger.File(path: root + $0, request: Base64.decoded(pressureWrite ?? "") ?? StallTrigger.request)
        }
        let own = group.stallFile.map { StallTrigger.File(path: $0, request: StallTrigger.request) }
        let machine = StallTrigger.File(path: root + "/proc/pressure/memory", request: StallTrigger.request)
        return [named, own, machine].compactMap(\.self)
    }

    /// The number in the line that begins with `name` and a space.
    static func number(named name: String, in bytes: [UInt8]) -> Int? {
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            let digits = start + name.utf8.count
            if digits < end, bytes[digits] == UInt8(ascii: " "), bytes[start..<digits].elementsEqual(name.utf8) {
                return number(in: bytes[digits..<end])
            }
            start = end + 1
        }
        return nil
    }

    /// The one number in a file; `nil` where there is none, or it is the word `max`.
    static func number(inFile path: String) -> Int? { KernelFiles.bytes(ofFile: path).flatMap { number(in: $0[...]) } }

    /// The number that text begins with, behind spaces.
    private static func number(in text: ArraySlice<UInt8>) -> Int? {
        var number: Int?
        for byte in text.drop(while: { $0 == UInt8(ascii: " ") }) {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { break }
            let (product, overflow) = (number ?? 0).multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int(byte) - 48)
            guard !overflow, !carry else { return nil }
            number = sum
        }
        return number
    }
}
