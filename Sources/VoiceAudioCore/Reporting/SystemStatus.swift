import CLinux
import Glibc

extension AudioError {
    /// The text of an `errno` value, as `strerror` gives it.
    package static func text(ofSystemStatus status: Int32) -> String {
        // SAFETY: strerror_l answers a string that stays valid until this thread's next call of it; it is copied at once.
        guard let text = unsafe strerror(status) else { return "error \(status)" }
        return unsafe String(cString: text)
    }

    /// The error of a failed system call on memory, descriptors or threads.
    package init(systemCall name: String, status: Int32) {
        self.init(.outOfResources, "\(name) failed: \(Self.text(ofSystemStatus: status))", status: status)
    }
}
