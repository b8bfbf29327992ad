import Foundation

/// A file system in memory with room for `kilobytes`, mounted until this is gone.
public final class SmallDisk {
    public let path: String

    /// `nil`, with the reason printed, where this process may not mount.
    public init?(kilobytes: Int) {
        path = NSTemporaryDirectory() + "voice-audio-disk-" + UUID().uuidString
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        guard Self.run("mount", "-t", "tmpfs", "-o", "size=\(kilobytes)k", "tmpfs", path) else {
            try? FileManager.default.removeItem(atPath: path)
            print("skipped: mounting a small file system needs root")
            return nil
        }
    }

    /// Takes all that is free.
    public func fill() {
        let file = FileManager.default.createFile(atPath: path + "/filling", contents: nil)
        guard file, let handle = FileHandle(forWritingAtPath: path + "/filling") else { return }
        while (try? handle.write(contentsOf: Data(count: 1024))) != nil {}
    }

    deinit {
        if Self.run("umount", "-l", path) { try? FileManager.default.removeItem(atPath: path) }
    }

    private static func run(_ program: String, _ arguments: String...) -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}
