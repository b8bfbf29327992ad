import CLinux
import Glibc
import Synchronization
import VoiceAudioCore

/// What a process has of a hook: handlers, and the thread that does the work. There for as long as the process.
final class InstalledHook: Sendable {
    private let shutdown: Shutdown
    private let wakeUp: WakeUp
    /// The hook's thread has done its work, and the process goes on, or ends by the thread that called `exit()`.
    private let goesOn: WakeUp
    /// What a handler of before may take on the hook's thread once another one has called `exit()`: on newer systems such a
    /// handler's own `exit()` waits for that.
    private static let patience = Duration.seconds(10)

    /// - Throws: `outOfResources`.
    init(_ shutdown: Shutdown, signals: Set<Int32>, atExit: Bool) throws(AudioError) {
        let (wakeUp, goesOn) = (try WakeUp(), try WakeUp())
        self.shutdown = shutdown
        self.wakeUp = wakeUp
        self.goesOn = goesOn
        _ = try WorkerThread(name: "va-shutdown") {
            Self.serve(shutdown, wakeUp, goesOn)
        }
        SignalTrap.install(for: signals, waking: wakeUp.descriptor)
        if atExit {
            exitingHook.value.withLock { $0 = self }
            _ = Glibc.atexit { exitingHook.value.withLock { $0 }?.runAtExit() }
        }
    }

    /// The hook's thread: waits for a signal's handler.
    private static func serve(_ shutdown: Shutdown, _ wakeUp: WakeUp, _ goesOn: WakeUp) {
        let clock = SystemClock()
        while !wakeUp.waitUntilSignalled(by: MonotonicInstant(nanoseconds: .max), clock: clock) {}
        let signal = SignalTrap.signal.load(ordering: .acquiring)
        shutdown.run(because: signalName(signal))
        // Where there was a handler before, it has run then. A thread that is in `exit()` lets it run there.
        if SignalTrap.beginEnding() == .ours { SignalTrap.endProcess(by: signal) }
        goesOn.signal()
    }

    /// On the thread that ends the process.
    private func runAtExit() {
        switch SignalTrap.begin() {
        case .ours: shutdown.run(because: "exit")
        // A reader's last chunk made `main` return, and the signal is still to end the process.
        case .underWay: endBySignal()
        case .none: break
        }
    }

    private func endBySignal() {
        let beginning = SignalTrap.beginEnding()
        // A handler of before calls `exit()`.
        if beginning == .none { return }
        let clock = SystemClock()
        let deadline = beginning == .ours ? shutdown.deadline : .zero
        _ = goesOn.waitUntilSignalled(by: clock.now.advanced(by: deadline).advanced(by: Self.patience), clock: clock)
        if beginning == .ours { SignalTrap.endProcess(by: SignalTrap.signal.load(ordering: .acquiring)) }
    }
}

private let exitingHook = PerProcess(Lock(InstalledHook?.none)) { _ in Lock(nil) }

private func signalName(_ number: Int32) -> String {
    switch number {
    case SIGTERM: "SIGTERM"
    case SIGINT: "SIGINT"
    case SIGHUP: "SIGHUP"
    case SIGQUIT: "SIGQUIT"
    default: "signal \(number)"
    }
}

/// The signal handlers, and what they touch: atomics, which `install` has touched before, as a first use is no matter for a
/// handler.
enum SignalTrap {
    /// The eventfd that wakes the hook's thread.
    private static let descriptor = Atomic<Int32>(-1)
    /// Whose hook it is: a fork shares descriptor and handlers from its first moment on, and must not wake our thread.
    private static let process = Atomic<pid_t>(0)
    /// The first one that came.
    static let signal = Atomic<Int32>(0)
    private static let hasBegun = Atomic<Bool>(false)
    /// The thread that lets the signal do what it would have done.
    private static let endingThread = Atomic<Int32>(0)
    /// What was there before, by number; 0 where the hook is not for that signal.
    private static let previous = InlineArray<32, Atomic<UInt>> { _ in Atomic(0) }

    /// Who is to do the work.
    enum Beginning {
        case ours, underWay, none
    }

    static func begin() -> Beginning {
        guard process.load(ordering: .acquiring) == getpid() else { return .none }
        return hasBegun.exchange(true, ordering: .acquiringAndReleasing) ? .underWay : .ours
    }

    /// Who is to call ``endProcess(by:)``; `none` where that is at work on this very thread.
    static func beginEnding() -> Beginning {
        let thread = clinux_gettid()
        let (isOurs, ending) = endingThread.compareExchange(
            expected: 0, desired: thread, ordering: .acquiringAndReleasing)
        return isOurs ? .ours : ending == thread ? .none : .underWay
    }

    static func install(for signals: Set<Int32>, waking descriptor: Int32) {
        signal.store(0, ordering: .relaxed)
        hasBegun.store(false, ordering: .relaxed)
        endingThread.store(0, ordering: .relaxed)
        self.descriptor.store(descriptor, ordering: .relaxed)
        process.store(getpid(), ordering: .releasing)
        var unblocked = sigset_t()
        // SAFETY, all below: what calls fill and read lives longer than they do; actions of before are never freed.
        unsafe sigemptyset(&unblocked)
        for number in signals {
            let before = UnsafeMutablePointer<sigaction>.allocate(capacity: 1)
            unsafe before.initialize(to: sigaction())
            unsafe sigaction(number, nil, before)
            guard !isIgnored(unsafe before.pointee) else { continue }
            previous[Int(number)].store(UInt(bitPattern: before), ordering: .releasing)
            var action = sigaction()
            unsafe action.__sigaction_handler.sa_handler = takeSignal
            action.sa_flags = Int32(bitPattern: UInt32(SA_RESTART) | UInt32(SA_ONSTACK))
            unsafe sigaction(number, &action, nil)
            unsafe sigaddset(&unblocked, number)
        }
        unsafe pthread_sigmask(SIG_UNBLOCK, &unblocked, nil)
    }

    private static func isIgnored(_ action: sigaction) -> Bool {
        // SAFETY: only whether it is that number is asked.
        unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
    }

    /// In a signal handler: nothing but atomics and calls that are safe there.
    static func take(_ number: Int32) {
        let before = errno
        switch begin() {
        case .ours:
            signal.store(number, ordering: .releasing)
            _ = eventfd_write(descriptor.load(ordering: .relaxed), 1)
        case .underWay:
            // The second one: at once.
            _ = Glibc.signal(number, SIG_DFL)
            // The first process of a container is not ended by a signal's default action.
            if getpid() == 1 { _exit(128 + number) }
            raise(number)
        case .none:
            restore(number)
            raise(number)
        }
        errno = before
    }

    /// What was there before is again.
    private static func restore(_ number: Int32) {
        // SAFETY: put there by install, and never freed.
        let before = unsafe UnsafePointer<sigaction>(bitPattern: previous[Int(number)].load(ordering: .acquiring))
        unsafe sigaction(number, before, nil)
    }

    /// Lets the signal do what it would have done without a hook. Returns where a handler of before goes on.
    static func endProcess(by number: Int32) {
        for index in previous.indices where previous[index].load(ordering: .acquiring) != 0 { restore(Int32(index)) }
        var signals = sigset_t()
        // SAFETY: locals.
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, number)
        unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        // SAFETY: as in restore.
        let before = unsafe UnsafePointer<sigaction>(bitPattern: previous[Int(number)].load(ordering: .acquiring))
        // SAFETY: only whether it is that number is asked.
        let isDefault = unsafe before.map {
            unsafe unsafeBitCast($0.pointee.__sigaction_handler.sa_handler, to: Int.self) == 0
        }
        raise(number)
        // As above.
        if isDefault ?? true { _exit(128 + number) }
    }
}

/// The signal handler.
private func takeSignal(_ number: Int32) { SignalTrap.take(number) }
