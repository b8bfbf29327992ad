import Glibc
import Synchronization
import VoiceAudio

private let complaints = Atomic<Int>(0)

func hasComplained() -> Bool { complaints.load(ordering: .relaxed) > 0 }

/// Says what is wrong, without the locks of `print`, which a fork may find taken.
func complain(_ message: String) {
    complaints.wrappingAdd(1, ordering: .relaxed)
    let line = "ForkingProgram \(getpid()): \(message)\n"
    // SAFETY: the string lives through the call.
    _ = unsafe write(STDERR_FILENO, line, line.utf8.count)
}

func expect(_ condition: Bool, _ what: @autoclosure () -> String) { if !condition { complain(what()) } }

/// Expects `invalidState` that names the process to which things belong.
func expectRefusal(_ what: String, by process: pid_t, _ body: () throws -> Void) {
    do {
        try body()
        complain("\(what): no error in a fork")
    } catch let error as AudioError {
        let isClear =
            error.code == .invalidState && error.message.contains("process \(process), of which this is a fork")
        expect(isClear, "\(what): \(error)")
    } catch {
        complain("\(what): \(error)")
    }
}

/// Whether there is such a file.
func exists(_ path: String) -> Bool {
    // SAFETY: the string lives through the call.
    unsafe access(path, F_OK) == 0
}

/// What the parent, or a child, gives up with.
struct GivenUp: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Ends this process, and its forks, where they hang: by `SIGABRT`, after Swift has printed what each thread is at, if
/// it is told to.
func endHang(after seconds: UInt32) {
    var action = sigaction()
    // SAFETY: locals, read and filled by the kernel. The handler is Swift's own for crashes, which may be called so.
    unsafe sigaction(SIGABRT, nil, &action)
    unsafe crashHandler = unsafe action.__sigaction_handler.sa_sigaction
    unsafe action.__sigaction_handler.sa_sigaction = { _, information, context in
        // With the context of what hangs. It does not come back by itself from an abort of ours.
        unsafe crashHandler?(SIGABRT, information, context)
        signal(SIGABRT, SIG_DFL)
        abort()
    }
    action.sa_flags = SA_SIGINFO
    unsafe sigaction(SIGALRM, &action, nil)
    alarm(seconds)
}

// SAFETY: set once, before there is another thread.
nonisolated(unsafe) private var crashHandler:
    (@convention(c) (Int32, UnsafeMutablePointer<siginfo_t>?, UnsafeMutableRawPointer?) -> Void)?

/// `fork(2)`, which Swift hides, with good reason. The child is not to hang, from its first step on.
func forkProcess() -> pid_t {
    // SAFETY: fork takes nothing and returns a number.
    let child = unsafe unsafeBitCast(dlsym(nil, "fork"), to: (@convention(c) () -> pid_t).self)()
    // The handler is inherited; an alarm is not.
    if child == 0 { alarm(Limits.childSeconds) }
    return child
}

/// A wait that is not to take place is one for longer than the program runs: it ends as a hang.
enum Limits {
    static let wait = Duration.seconds(600)
    static let childSeconds: UInt32 = 40
    static let parentSeconds: UInt32 = 100
}
