import CLinux
import Glibc
import VoiceAudioCore

/// A program in a process group of its own, with nothing to read and two pipes to write to.
///
/// Its number, and that of its group, cannot come again before it is reaped, which only this value does.
struct ChildProcess: ~Copyable {
    /// How a program ended.
    enum End: Hashable, Sendable {
        case exited(Int32)
        case signalled(Int32)
        /// Someone else in this process took the status, or it ignores `SIGCHLD`.
        case unknown
    }

    /// The program's number, and its group's.
    let number: pid_t
    /// What the program writes.
    var output: OutputPipe
    var errorOutput: OutputPipe
    private let exit: OwnedDescriptor
    private let owner = OwningProcess()

    /// Readable once the program has exited.
    var exitDescriptor: Int32 { exit.number }

    /// Starts a program, as soon as the system has loaded it.
    ///
    /// It gets no descriptor but these, no signal is blocked or ignored in it, and no shell is involved.
    ///
    /// - Parameters:
    ///   - words: The program, looked for in `PATH` where it has no slash, and its arguments.
    ///   - environment: `nil` stands for this process's.
    ///   - events: Becomes readable when the program writes or exits.
    /// - Throws: `noSuchFile`, `permissionDenied`, `transcriberFailed` where it is no program, or `outOfResources`.
    init(_ words: [String], environment: [String: String]?, events: ReadableAny) throws(AudioError) {
        var output = try OutputPipe(events: events)
        var errorOutput = try OutputPipe(events: events)
        try output.watch()
        try errorOutput.watch()
        let number = try spawn(
            words, environment, output: output.childDescriptor, errorOutput: errorOutput.childDescriptor)
        output.closeChildEnd()
        errorOutput.closeChildEnd()
        exit = try watchedExit(ofChild: number, words[0], events)
        self.number = number
        self.output = output
        self.errorOutput = errorOutput
    }

    /// Sends a signal to all processes of the group; from Linux 6.9 on also where someone else has reaped the program.
    func signalGroup(_ signal: Int32) {
        guard owner.isCurrent, !VoiceAudio.signalGroup(ofChild: number, signal) else { return }
        // Its number may be another's by now; its pidfd never is. Where that is none, this does nothing.
        _ = clinux_pidfd_signal_group(exit.number, signal)
    }

    /// Ends what is left of the group, and takes the status of the program, which has exited.
    func finish() -> End {
        signalGroup(SIGKILL)
        return reap(child: number, blocking: false)
    }

    /// Kills the group, and has a thread wait for the program's end: one in the depths of a driver takes its time.
    func abandon() {
        signalGroup(SIGKILL)
        reapLater(child: number)
    }
}

private func spawn(
    _ words: [String], _ environment: [String: String]?, output: Int32, errorOutput: Int32
) throws(AudioError) -> pid_t {
    // SAFETY: all that is initialised here is destroyed here, and outlives the call that uses it.
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { _ = unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
    unsafe posix_spawn_file_actions_adddup2(&actions, errorOutput, 2)
    // Also what the program that embeds this opened without close-on-exec.
    unsafe posix_spawn_file_actions_addclosefrom_np(&actions, 3)

    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { _ = unsafe posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe posix_spawnattr_setsigmask(&attributes, &signals)
    unsafe sigfillset(&signals)
    unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
    unsafe posix_spawnattr_setpgroup(&attributes, 0)
    let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
    unsafe posix_spawnattr_setflags(&attributes, Int16(flags))

    let arguments = CStrings(words)
    let variables = environment.map { CStrings($0.map { "\($0.key)=\($0.value)" }) }
    var number: pid_t = 0
    let status = unsafe posix_spawnp(
        &number, words[0], &actions, &attributes, arguments.pointers, variables?.pointers ?? clinux_environment())
    guard status == 0 else { throw AudioError(starting: words[0], status: status) }
    return number
}

/// Strings as C wants them: an array of pointers that a null ends.
@safe
private final class CStrings {
    // SAFETY: allocated here, freed in deinit.
    let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    init(_ strings: [String]) {
        count = strings.count
        unsafe pointers = .allocate(capacity: count + 1)
        for (index, string) in strings.enumerated() { unsafe (pointers + index).initialize(to: strdup(string)) }
        unsafe (pointers + count).initialize(to: nil)
    }

    deinit {
        for index in 0..<count { unsafe free(pointers[index]) }
        unsafe pointers.deallocate()
    }
}

extension AudioError {
    /// The error of a program of which the status is gone.
    init(unknownEndOf program: String, ending: String = "") {
        self.init(
            .transcriberFailed,
            """
            whether "\(program)" ended well is not known: this process ignores SIGCHLD, or waits for children that are not \
            its own; set SIGCHLD to SIG_DFL, and wait for children by their number\(ending)
            """)
    }

    /// The error of a program that could not be started.
    fileprivate init(starting program: String, status: Int32) {
        let reason = Self.text(ofSystemStatus: status)
        switch status {
        case ENOENT, ENOTDIR:
            let place =
                program.utf8.contains(UInt8(ascii: "/")) ? "no program \"\(program)\"" : "no \"\(program)\" in PATH"
            self.init(.noSuchFile, "there is \(place), or what it needs to run is missing", status: status)
        case EACCES, EPERM:
            self.init(
                .permissionDenied, "\"\(program)\" may not be run: is it a program, and has it execute permission?",
                status: status)
        case EAGAIN, ENOMEM, EMFILE, ENFILE:
            self.init(.outOfResources, "\"\(program)\" could not be started: \(reason)", status: status)
        default:
            self.init(.transcriberFailed, "\"\(program)\" could not be started: \(reason)", status: status)
        }
    }
}
