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

/// `fork(2)`, which Swift hides, with good reason.
func forkProcess() -> pid_t {
    // SAFETY: fork takes nothing and returns a number.
    unsafe unsafeBitCast(dlsym(nil, "fork"), to: (@convention(c) () -> pid_t).self)()
}
