import Glibc
package import VoiceAudioCore

/// What hinders files where recordings and temporary ones go.
package enum DiskProblems {
    /// Makes a temporary file, which is gone at once, and looks at the free space there and where this process stands.
    ///
    /// - Parameter directory: For temporary files; `nil` for the system's.
    /// - Returns: As errors: none, or one for each of the two places.
    package static func find(temporaryDirectory directory: String?, minimumFreeBytes: Int) -> [AudioError] {
        let place = TemporaryPlace(directory: directory, minimumFreeBytes: minimumFreeBytes)
        var problems: [AudioError] = []
        do throws(AudioError) { _ = try TemporaryFile(in: place, toWrite: 0) } catch { problems.append(error) }
        do throws(AudioError) {
            let here = try withStatus(writing: ".") { () throws(SystemFailure) in
                try OwnedDescriptor(opening: ".", O_RDONLY | O_DIRECTORY)
            }
            try here.requireFree(minimumFreeBytes, at: ".")
        } catch {
            problems.append(error)
        }
        return problems
    }
}
