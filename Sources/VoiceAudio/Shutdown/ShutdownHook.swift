import Glibc
public import VoiceAudioCore

/// Ends what the library has open as the process ends, within a deadline: opt-in, once a process.
///
/// ```swift
/// try ShutdownHook.install(deadline: .seconds(5), logSink: sink)     // SIGTERM, SIGINT and exit
/// ```
///
/// As one of the signals comes, or the program calls `exit()` or returns from `main`:
/// 1. captures stop; each subscription gets its last chunks, and ends;
/// 2. their readers have time to take what waits and to finish their files, and actions of the program's own run;
/// 3. each ``RecordingWriter`` that is still open is finished;
/// 4. named temporary files go.
///
/// Then the process ends as it would have: by the signal, so that its status tells so, or by the handler that was there
/// before, or with its exit status. What hangs keeps neither the rest from being finished nor the process beyond the
/// deadline; it is logged by name. A further signal meanwhile ends the process at once.
///
/// A signal that was ignored stays so. SIGKILL, `_exit()` and crashes end the process without this: then files are as good as
/// their newest header. A fork of the process (without exec) has no hook, and ends as without.
///
/// > Concurrency: Safe from any thread.
public enum ShutdownHook {
    /// The signals that a hook can be for: those that end a process, and that programs ask each other with.
    public static let acceptedSignals: Set<Int32> = [SIGTERM, SIGINT, SIGHUP, SIGQUIT]

    /// Those that it is for where nothing else is said: SIGTERM and SIGINT.
    public static let usualSignals: Set<Int32> = [SIGTERM, SIGINT]

    /// Installs the hook; it stays for as long as the process lives.
    ///
    /// The signals are unblocked in the calling thread: thread pools may have blocked them.
    ///
    /// - Parameters:
    ///   - signals: Which of them it is for, of ``acceptedSignals``; may be none.
    ///   - atExit: Whether it is for `exit()`, too.
    ///   - deadline: How long all may take, more than zero.
    ///   - logSink: Where lines go.
    ///   - clock: What the deadline goes by.
    /// - Throws: ``AudioError`` with code `invalidConfiguration`, `invalidState` where there is a hook already, or
    ///   `outOfResources`.
    public static func install(
        signals: Set<Int32> = usualSignals, atExit: Bool = true, deadline: Duration = .seconds(10),
        logSink: any AudioLogSink = SilentLogSink(), clock: any AudioClock = SystemClock()
    ) throws(AudioError) {
        if let signal = signals.subtracting(acceptedSignals).min() {
            throw AudioError(
                .invalidConfiguration,
                "a shutdown hook for signal \(signal): accepted are SIGTERM, SIGINT, SIGHUP and SIGQUIT")
        }
        guard deadline > .zero else {
            throw AudioError(.invalidConfiguration, "a shutdown deadline of \(deadline): accepted is more than zero")
        }
        let shutdown = try Shutdown(deadline: deadline, logSink: logSink, clock: clock)
        try installed.value.withLock { (installed) throws(AudioError) in
            guard installed == nil else {
                throw AudioError(.invalidState, "there is a shutdown hook already, and a process has one")
            }
            installed = try InstalledHook(shutdown, signals: signals, atExit: atExit)
        }
    }

    /// Adds an action of the program's own: to tell a peer, to save a state. It runs once captures have stopped, beside the
    /// other actions.
    ///
    /// - Parameters:
    ///   - name: What logs call it.
    ///   - body: Gets the time until files are finished whether it has returned or not.
    /// - Returns: What removes it again.
    @discardableResult
    public static func addAction(
        named name: String, _ body: @escaping @Sendable (_ timeLeft: Duration) -> Void
    ) -> ShutdownAction {
        let action = ShutdownAction(name: name, body: body)
        actions.value.withLock { $0.append(action) }
        return action
    }

    static let actions = PerProcess(Lock([ShutdownAction]())) { _ in Lock([]) }
    private static let installed = PerProcess(Lock(InstalledHook?.none)) { _ in Lock(nil) }
}

/// What a program does of its own as it ends; kept until it is removed.
public final class ShutdownAction: Sendable {
    /// What logs call it.
    public let name: String
    let body: @Sendable (_ timeLeft: Duration) -> Void

    init(name: String, body: @escaping @Sendable (_ timeLeft: Duration) -> Void) {
        self.name = name
        self.body = body
    }

    /// Removes it; one that runs goes on. Twice is harmless.
    public func remove() { ShutdownHook.actions.value.withLock { $0.removeAll { $0 === self } } }
}
