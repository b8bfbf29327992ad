import Foundation

/// Why a contestant cannot run: something that it needs is not here.
public struct Missing: Error {
    public let reason: String

    public init(reason: String) { self.reason = reason }
}

/// Where `Scripts/bench` has put a peer's program or module.
///
/// - Throws: ``Missing`` with what kept it from being made.
public func peerFile(_ name: String, in directory: String?) throws(Missing) -> String {
    guard let directory else { throw Missing(reason: "no --peers DIRECTORY: run Scripts/bench, which makes it") }
    let path = "\(directory)/\(name)"
    guard !FileManager.default.fileExists(atPath: path) else { return path }
    let reason = try? String(contentsOfFile: path + ".missing", encoding: .utf8)
    throw Missing(reason: reason?.trimmingCharacters(in: .whitespacesAndNewlines) ?? "\(name) was not made")
}
