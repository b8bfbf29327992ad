import Foundation
import Testing
import VoiceAudioCore

@testable import VoiceAudioMemory

/// Made-up trees of /proc and /sys.
struct SystemMemorySourceTests {
    /// Files below a directory that goes with the value.
    private final class Tree {
        let root = NSTemporaryDirectory() + "va-memory-\(UUID().uuidString)"

        init(_ files: [String: String]) throws {
            for (path, text) in files { try write(text, to: path) }
        }

        deinit { try? FileManager.default.removeItem(atPath: root) }

        func write(_ text: String, to path: String) throws {
            let file = URL(fileURLWithPath: root + path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }

        func text(_ path: String) throws -> String {
            String(decoding: try Data(contentsOf: URL(fileURLWithPath: root + path)), as: UTF8.self)
        }

        var source: SystemMemorySource { SystemMemorySource(files: MemoryFiles(root: root)) }

        /// The cgroups' limits, nearest group first; the machine's, which is always there, left out.
        var groups: [MemoryLimit] {
            get throws { try source.sample().limits.filter { $0.origin != .machine } }
        }
    }

    private static let meminfo = """
        MemTotal:       16000000 kB
        MemFree:          100000 kB
        MemAvailable:   12000000 kB
        Buffers:           38628 kB

        """

    /// A v1 group's files.
    private static func v1(_ path: String, limit: String, usage: String, inactive: String = "0") -> [String: String] {
        [
            path + "/memory.limit_in_bytes": limit + "\n", path + "/memory.usage_in_bytes": usage + "\n",
            path + "/memory.stat": "cache 1\ninactive_file 77\ntotal_cache 2\ntotal_inactive_file \(inactive)\n",
        ]
    }

    /// A v2 group's files.
    private static func v2(
        _ path: String, max: String, high: String = "max", current: String, inactive: String = "0"
    ) -> [String: String] {
        [
            path + "/memory.max": max + "\n", path + "/memory.high": high + "\n",
            path + "/memory.current": current + "\n",
            path + "/memory.stat": "anon 5\nfile 9\ninactive_file_of_others 1\ninactive_file \(inactive)\n",
        ]
    }

    private func tree(_ membership: String, mounts: String, _ groups: [String: String]...) throws -> Tree {
        var files = ["/proc/meminfo": Self.meminfo, "/proc/self/cgroup": membership, "/proc/self/mountinfo": mounts]
        for group in groups { files.merge(group) { $1 } }
        return try Tree(files)
    }

    private static let unified = "31 23 0:28 / /sys/fs/cgroup rw,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"

    @Test func theMachineIsWhatIsAvailableAndNotWhatIsFree() throws {
        let tree = try tree("", mounts: "")
        let sample = try tree.source.sample()
        let machine = MemoryLimit(origin: .machine, limitBytes: 16_000_000 << 10, usedBytes: 4_000_000 << 10)
        #expect(sample.limits == [machine])
        #expect(sample.processRSSBytes > 1 << 20)
    }

    @Test(arguments: ["", "max\n", "99999999999999999999\n", "-5\n", "words\n"])
    func whatIsNoNumberIsNoLimit(text: String) throws {
        let groups = try tree(
            "0::/a\n", mounts: Self.unified, Self.v2("/sys/fs/cgroup/a", max: text, current: "1")
        ).groups
        #expect(groups == [])
    }

    @Test func withoutMeminfoItIsAnErrorThatNamesTheFile() throws {
        let tree = try Tree(["/proc/meminfo": "MemTotal: 16 kB\n"])
        let error = #expect(throws: AudioError.self) { try tree.source.sample() }
        #expect(error?.code == .memoryUnknown)
        #expect(error?.message.contains(tree.root + "/proc/meminfo") == true)
    }

    @Test func ofVersionTwoEachGroupUpToTheRootIsLookedAt() throws {
        let groups = try tree(
            "0::/app.slice/voice.service\n", mounts: Self.unified,
            Self.v2(
                "/sys/fs/cgroup/app.slice/voice.service", max: "1000", high: "800", current: "500", inactive: "100"),
            Self.v2("/sys/fs/cgroup/app.slice", max: "3000", current: "2900", inactive: "3000"),
            ["/sys/fs/cgroup/memory.stat": "inactive_file 1\n"]
        ).groups
        #expect(
            groups == [
                MemoryLimit(
                    origin: .cgroupV2, groupPath: "/app.slice/voice.service", limitBytes: 800, usedBytes: 400),
                MemoryLimit(origin: .cgroupV2, groupPath: "/app.slice", limitBytes: 3000, usedBytes: 0),
            ])
    }

    @Test func aGroupWithoutLimitOrWithAsMuchAsTheMachineHasIsNone() throws {
        let groups = try tree(
            "0::/a/b/c\n", mounts: Self.unified, Self.v2("/sys/fs/cgroup/a/b/c", max: "max", current: "5"),
            Self.v2("/sys/fs/cgroup/a/b", max: "\(16_000_000 << 10)", current: "5"),
            Self.v2("/sys/fs/cgroup/a", max: "max", high: "900", current: "5")
        ).groups
        #expect(groups == [MemoryLimit(origin: .cgroupV2, groupPath: "/a", limitBytes: 900, usedBytes: 5)])
    }

    @Test func aHybridHasItsMemoryInVersionOne() throws {
        let mounts = """
            33 31 0:30 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu
            35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
            41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw

            """
        let groups = try tree(
            "9:name=systemd:/\n4:cpuset,memory:/box/inner\n0::/other\n", mounts: mounts,
            Self.v1("/sys/fs/cgroup/memory/box/inner", limit: "9223372036854771712", usage: "5"),
            Self.v1("/sys/fs/cgroup/memory/box", limit: "4096000", usage: "3000000", inactive: "1000000"),
            Self.v1("/sys/fs/cgroup/memory", limit: "9223372036854771712", usage: "9")
        ).groups
        #expect(
            groups == [
                MemoryLimit(origin: .cgroupV1, groupPath: "/box", limitBytes: 4_096_000, usedBytes: 2_000_000)
            ])
    }

    /// A container sees its own group at the mount point: of the path only what lies below the mount's root is there.
    @Test(arguments: [
        ("/docker/abc", "/docker/abc", "", "/docker/abc"),
        ("/docker/abc", "/docker/abc/job", "/job", "/docker/abc/job"),
        // The path of another namespace, and one that only begins alike.
        ("/", "/../../elsewhere", "", "/"), ("/docker/abc", "/docker/abcdef", "", "/docker/abc"),
    ])
    func aContainersGroupIsFoundAtItsMount(root: String, path: String, below: String, groupPath: String) throws {
        for isUnified in [true, false] {
            let kind = isUnified ? "cgroup2 cgroup2 rw" : "cgroup cgroup rw,memory"
            let place = "/sys/fs/cgroup" + below
            let groups = try tree(
                (isUnified ? "0::" : "4:memory:") + path + "\n",
                mounts: "1 2 0:3 \(root) /sys/fs/cgroup ro master:5 propagate_from:2 - \(kind)\n",
                isUnified
                    ? Self.v2(place, max: "1000", current: "10") : Self.v1(place, limit: "1000", usage: "10"),
                // Somebody else's.
                isUnified
                    ? Self.v2("/sys/fs/cgroup/def", max: "1", current: "1")
                    : Self.v1("/sys/fs/cgroup/def", limit: "1", usage: "1")
            ).groups
            let origin = isUnified ? MemoryLimit.Origin.cgroupV2 : .cgroupV1
            let expected = MemoryLimit(origin: origin, groupPath: groupPath, limitBytes: 1000, usedBytes: 10)
            #expect(groups.first == expected && groups.count == 1, "\(groups)")
        }
    }

    @Test func aProcessThatIsMovedIsFoundInItsNewGroup() throws {
        let tree = try tree(
            "0::/a\n", mounts: Self.unified, Self.v2("/sys/fs/cgroup/a", max: "1000", current: "1"),
            Self.v2("/sys/fs/cgroup/b", max: "2000", current: "2"))
        let source = tree.source
        #expect(try source.sample().capacityBytes == 1000)
        try tree.write("0::/b\n", to: "/proc/self/cgroup")
        #expect(try source.sample().capacityBytes == 2000)
        // And its limit may change.
        try tree.write("500\n", to: "/sys/fs/cgroup/b/memory.high")
        #expect(try source.sample().capacityBytes == 500)
    }

    @Test(arguments: ["garbage", "4:memory", "0::", ":::\n\n", "0::/a\u{0}b\n"])
    func whatTheKernelNeverWritesLeavesTheMachine(text: String) throws {
        #expect(try tree(text, mounts: text + "\n1 2 3 4 5 6 - cgroup2\n1 2 3 / /x rw -\n" + Self.unified).groups == [])
    }

    // MARK: Stall triggers

    @Test func theBestFileThatTakesATriggerHasIt() throws {
        let tree = try tree(
            "0::/a\n", mounts: Self.unified,
            ["/sys/fs/cgroup/a/memory.pressure": "", "/proc/pressure/memory": "", "/run/watch": ""])
        let request = "some 200000 2000000\0"
        var source = tree.source
        #expect(source.events?.sign == .priority)
        #expect(try tree.text("/sys/fs/cgroup/a/memory.pressure") == request)
        #expect(try tree.text("/proc/pressure/memory") == "")
        try FileManager.default.removeItem(atPath: tree.root + "/sys/fs/cgroup/a/memory.pressure")
        source = tree.source
        #expect(source.events != nil)
        #expect(try tree.text("/proc/pressure/memory") == request)
        // systemd's wins, with its own text.
        let text = "c29tZSAyMDAwMDAgMjAwMDAwMAA="
        source = SystemMemorySource(
            files: MemoryFiles(root: tree.root, pressureWatch: "/run/watch", pressureWrite: text))
        #expect(source.events?.sign == .priority)
        #expect(try tree.text("/run/watch") == request)
        // Its way of saying that nobody is to watch.
        source = SystemMemorySource(files: MemoryFiles(root: tree.root, pressureWatch: "/dev/null"))
        #expect(source.events == nil)
        #expect(try Tree([:]).source.events == nil)
    }

    @Test func aQueueOfTheServiceManagersTellsByInput() throws {
        let tree = try tree("", mounts: "")
        // SAFETY: the path lives through the call.
        #expect(unsafe mkfifo(tree.root + "/queue", 0o600) == 0)
        let source = SystemMemorySource(files: MemoryFiles(root: tree.root, pressureWatch: "/queue"))
        #expect(source.events?.sign == .input)
    }

    @Test func theRealSystemAnswers() throws {
        let source = SystemMemorySource()
        let sample = try source.sample()
        #expect(sample.limits.last?.origin == .machine)
        #expect(sample.capacityBytes >= sample.processRSSBytes)
        #expect(sample.limits.allSatisfy { $0.usedBytes > 0 && $0.limitBytes > 0 })
        guard FileManager.default.isWritableFile(atPath: "/proc/pressure/memory") else {
            return print("skipped: this kernel has no /proc/pressure/memory to write to")
        }
        #expect(source.events?.sign == .priority)
    }
}
