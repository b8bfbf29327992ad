import CLinux
import Glibc
import Synchronization
import VoiceAudio

/// Ctrl-C and SIGTERM, as a descriptor that becomes readable.
struct Interruption {
    private let wakeUp: WakeUp

    var descriptor: Int32 { wakeUp.descriptor }

    /// Whether one of them came.
    var isAsked: Bool { wakeUp.isSignalled }

    /// Takes both signals over for the rest of the process's life.
    ///
    /// - Throws: `outOfResources`.
    init() throws(AudioError) {
        wakeUp = try WakeUp()
        interruptionDescriptor.store(wakeUp.descriptor, ordering: .releasing)
        for number in [SIGINT, SIGTERM] {
            // The handler only writes to an eventfd, which a signal handler may do.
            _ = signal(number, noteInterruption)
        }
        // Who starts us may have blocked them, as thread pools do in their threads.
        var signals = sigset_t()
        // SAFETY: the set is a local; there is no old one to fill.
        unsafe sigemptyset(&signals)
        for number in [SIGINT, SIGTERM] { unsafe sigaddset(&signals, number) }
        unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        // A reader that goes away ends the recording with an error, not the process with a signal.
        _ = signal(SIGPIPE, SIG_IGN)
    }
}

private let interruptionDescriptor = Atomic<Int32>(-1)

/// The signal handler.
private func noteInterruption(_: Int32) { eventfd_write(interruptionDescriptor.load(ordering: .acquiring), 1) }
