import CLinux
import Foundation
import Glibc

/// Tells on standard error which input was being tried when the process dies: by a signal, by a sanitizer, or because
/// the input takes too long.
///
/// What it writes lies ready in memory of its own: a signal handler may neither allocate nor lock.
enum CurrentInput {
    private static let capacity = 256
    // SAFETY: allocated once, never freed; written between inputs, by the one thread that tries them.
    nonisolated(unsafe) private static let text = UnsafeMutablePointer<CChar>.allocate(capacity: capacity)
    // SAFETY: as above. The tests' own standard error, wherever an input's output goes.
    nonisolated(unsafe) private static var standardError: Int32 = -1

    /// Takes over the signals of a crash, once.
    static let watch: Void = {
        unsafe text.initialize(repeating: 0, count: capacity)
        unsafe standardError = clinux_fcntl_int(STDERR_FILENO, F_DUPFD_CLOEXEC, 100)
        for number in [SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT, SIGFPE, SIGALRM] { signal(number, dieOf) }
        // AddressSanitizer ends the process without a signal.
        // SAFETY: a function of this type, or none.
        if let register = unsafe dlsym(nil, "__sanitizer_set_death_callback") {
            unsafe unsafeBitCast(register, to: (@convention(c) (@convention(c) () -> Void) -> Void).self)({
                CurrentInput.tell()
            })
        }
    }()

    /// Notes what is tried next, and gives it so many seconds.
    static func set(_ description: String, seconds: UInt32) {
        let bytes = Array(("\n" + description + "\n").utf8CString.prefix(capacity - 1)) + [0]
        for (index, byte) in bytes.enumerated() { unsafe text[index] = byte }
        alarm(seconds)
    }

    static func clear() { alarm(0) }

    fileprivate static func tell() { _ = unsafe write(standardError, text, strlen(text)) }
}

private func dieOf(_ number: Int32) {
    CurrentInput.tell()
    signal(number, SIG_DFL)
    raise(number)
}
