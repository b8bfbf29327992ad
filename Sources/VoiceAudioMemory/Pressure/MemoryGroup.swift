import VoiceAudioCore

/// The control groups of a process that limit its memory: its own and those above it, in each hierarchy that is mounted.
///
/// Where the kernel shows a process less than its whole path (a cgroup namespace, or a container's mount of a part of the
/// hierarchy), it is what can be seen.
struct MemoryGroup: Sendable {
    /// Of what this was made.
    let membership: [UInt8]
    private let directories: [Directory]
    private let ownUnified: String?

    /// The files of one group.
    private struct Directory: Sendable {
        let origin: MemoryLimit.Origin
        /// In its hierarchy.
        let groupPath: String
        /// The smallest that these say holds.
        let limits: [String]
        let current: String
        let statistics: String

        init(_ version: Version, path: String, groupPath: String) {
            self.groupPath = groupPath
            let prefix = path + "/memory."
            statistics = prefix + "stat"
            switch version {
            case .v1:
                origin = .cgroupV1
                limits = [prefix + "limit_in_bytes"]
                current = prefix + "usage_in_bytes"
            case .v2:
                origin = .cgroupV2
                limits = [prefix + "max", prefix + "high"]
                current = prefix + "current"
            }
        }

        /// The limit as it is now; `nil` where there is none.
        var limit: MemoryLimit? {
            // v1 has no word for that, but the largest number of whole pages.
            guard let limitBytes = limits.compactMap(MemoryFiles.number(inFile:)).min(), limitBytes < Int.max / 2,
                let used = MemoryFiles.number(inFile: current)
            else { return nil }
            let text = KernelFiles.bytes(ofFile: statistics, limit: 65_536) ?? []
            let cache =
                origin == .cgroupV1
                ? MemoryFiles.number(named: "total_inactive_file", in: text)
                : MemoryFiles.number(named: "inactive_file", in: text)
            return MemoryLimit(
                origin: origin, groupPath: groupPath, limitBytes: limitBytes, usedBytes: max(0, used - (cache ?? 0)))
        }
    }

    private enum Version: Sendable { case v1, v2 }

    init(_ files: MemoryFiles) {
        membership = files.membership
        let paths = String(decoding: membership, as: UTF8.self)
        var directories: [Directory] = []
        var ownUnified: String?
        for mount in files.mounts.split(separator: "\n").compactMap(Mount.init) {
            guard let version = mount.version, let path = Self.path(in: paths, version) else { continue }
            let below = mount.relative(path)
            let top = files.root + mount.point
            if version == .v2, ownUnified == nil { ownUnified = top + below }
            for part in Self.upward(from: below) {
                directories.append(
                    Directory(
                        version, path: top + part,
                        groupPath: mount.root == "/" ? (part.isEmpty ? "/" : part) : mount.root + part))
            }
        }
        self.directories = directories
        self.ownUnified = ownUnified
    }

    /// The limits there are now.
    var limits: [MemoryLimit] { directories.compactMap(\.limit) }

    /// The own group's file for a pressure-stall trigger.
    var stallFile: String? { ownUnified.map { $0 + "/memory.pressure" } }

    /// The path of this process in the hierarchy that has the memory controller, or in the unified one.
    private static func path(in membership: String, _ version: Version) -> String? {
        for line in membership.split(separator: "\n") {
            // hierarchy-ID:controllers:path, and the path may have colons.
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let isIt =
                switch version {
                case .v1: fields[1].split(separator: ",").contains("memory")
                case .v2: fields[0] == "0" && fields[1].isEmpty
                }
            if isIt { return String(fields[2]) }
        }
        return nil
    }

    /// `/a/b`, `/a`, and the empty path.
    private static func upward(from path: String) -> [String] {
        let parts = path.split(separator: "/")
        return (0...parts.count).reversed().map { parts.prefix($0).map { "/" + $0 }.joined() }
    }

    /// A line of `/proc/self/mountinfo` that is about control groups.
    private struct Mount {
        /// Which part of the hierarchy is mounted.
        let root: String
        let point: String
        private let type: Substring
        private let options: Substring

        /// See proc(5): numbers, root, mount point, options, optional fields up to a `-`, type, source, options.
        init?(line: Substring) {
            let fields = line.split(separator: " ")
            guard fields.count > 6, let end = fields[6...].firstIndex(of: "-"), fields.count > end + 3 else {
                return nil
            }
            root = String(fields[3])
            point = String(fields[4])
            type = fields[end + 1]
            options = fields[end + 3]
            guard type == "cgroup" || type == "cgroup2" else { return nil }
        }

        var version: Version? {
            if type == "cgroup2" { return .v2 }
            return options.split(separator: ",").contains("memory") ? .v1 : nil
        }

        /// A path of the hierarchy, below the mount point; the mount point itself where it is not to be seen there.
        func relative(_ path: String) -> String {
            if path.split(separator: "/").contains("..") { return "" }
            if root == "/" { return path == "/" ? "" : path }
            guard path == root || path.hasPrefix(root + "/") else { return "" }
            return String(path.dropFirst(root.count))
        }
    }
}
