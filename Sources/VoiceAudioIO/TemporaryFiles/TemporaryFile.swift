import CLinux
import Glibc
import VoiceAudioCore

/// A file that is gone with this value, or with the process.
///
/// Without a name, the system frees it when its last descriptor is closed, even by SIGKILL. With one, its name is removed
/// here, or by the sweep of a later process (see ``PrivateDirectory``).
struct TemporaryFile: ~Copyable {
    /// Empty, open for reading and writing.
    let descriptor: OwnedDescriptor
    /// Opens it in another program.
    let path: String
    private let directory: OwnedDescriptor?
    private let name: String

    /// - Parameter byteCount: Bytes that are to be written, as far as is known: checked against the free space.
    /// - Throws: `diskFull`, `notWritable`, `permissionDenied` or `outOfResources`.
    init(in place: TemporaryPlace, toWrite byteCount: Int) throws(AudioError) {
        let parent = try place.open(toWrite: byteCount)
        do throws(SystemFailure) {
            if place.isNamed {
                let directory = try PrivateDirectory(in: place)
            }
        } catch {
            throw place.error(error.status)
        }
    }

    deinit {
        if let directory { directory.unlink(name) }
    }
}
