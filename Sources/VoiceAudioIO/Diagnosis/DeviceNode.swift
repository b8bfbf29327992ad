import CLinux
import Glibc
import VoiceAudioCore

/// A node in `/dev/snd`, and whether this process may open it.
package struct DeviceNode: Sendable, Hashable {
    package var path: String
    /// Whether this process may read and write it, by whatever right: group, ACL or root.
    package var canOpen: Bool
    package var ownerID: UInt32
    package var groupID: UInt32
    /// The group's name; its number where it has none.
    package var groupName: String
    /// The permission bits.
    package var mode: UInt32

    package init(
        path: String, canOpen: Bool, ownerID: UInt32 = 0, groupID: UInt32 = 0, groupName: String = "root",
        mode: UInt32 = 0o660
    ) {
        self.path = path
        self.canOpen = canOpen
        self.ownerID = ownerID
        self.groupID = groupID
        self.groupName = groupName
        self.mode = mode
    }

    /// `nil` where there is no such node.
    init?(at path: String) {
        var status = stat()
        // SAFETY: the kernel fills a local; the path lives through the call.
        guard unsafe stat(path, &status) == 0 else { return nil }
        self.init(
            path: path, canOpen: KernelFiles.canOpen(path), ownerID: status.st_uid, groupID: status.st_gid,
            groupName: Self.name(ofGroup: status.st_gid), mode: status.st_mode & 0o777)
    }

    private static func name(ofGroup id: UInt32) -> String {
        // SAFETY: the entry stays valid until this thread's next call, and its name is copied at once.
        guard let entry = unsafe getgrgid(id), let name = unsafe entry.pointee.gr_name else { return "\(id)" }
        return unsafe String(cString: name)
    }
}

/// Who this process is to the system.
package struct ProcessUser: Sendable, Hashable {
    package var id: UInt32
    /// `nil` where the system has no name for the user.
    package var name: String?
    /// The groups of this process.
    package var groupIDs: [UInt32]
    /// The groups that the user would have after logging in again.
    package var groupIDsAtLogin: [UInt32]

    package init(id: UInt32, name: String?, groupIDs: [UInt32], groupIDsAtLogin: [UInt32] = []) {
        self.id = id
        self.name = name
        self.groupIDs = groupIDs
        self.groupIDsAtLogin = groupIDsAtLogin
    }

    /// Of this process.
    package static var current: ProcessUser {
        let id = geteuid()
        var user = ProcessUser(id: id, name: nil, groupIDs: [getegid()])
        // SAFETY: the kernel writes within the capacity.
        user.groupIDs += unsafe [gid_t](unsafeUninitializedCapacity: capacity) { groups, count in
            count = unsafe max(0, Int(getgroups(Int32(capacity), groups.baseAddress)))
        }
        // SAFETY: the entry stays valid until this thread's next call, and is copied at once.
        guard let entry = unsafe getpwuid(id), let name = unsafe entry.pointee.pw_name else { return user }
        user.name = unsafe String(cString: name)
        let group = unsafe entry.pointee.pw_gid
        // SAFETY: the call writes within the capacity, and says how many there are.
        user.groupIDsAtLogin = unsafe [gid_t](unsafeUninitializedCapacity: capacity) { groups, count in
            var found = Int32(capacity)
            let isComplete = unsafe getgrouplist(name, group, groups.baseAddress, &found) >= 0
            count = isComplete ? max(0, Int(found)) : 0
        }
        return user
    }

    /// The kernel's own limit.
    private static let capacity = 65_536
}
