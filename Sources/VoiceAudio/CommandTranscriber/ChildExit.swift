import CLinux
import Glibc
import VoiceAudioCore

/// A descriptor that is readable once a child has exited, and watched. Where there can be none, the child is killed.
///
/// - Throws: `transcriberFailed` where the child is reaped already, or `outOfResources`.
func watchedExit(ofChild number: pid_t, _ program: String, _ events: ReadableAny) throws(AudioError) -> OwnedDescriptor
{
    do throws(AudioError) {
        let exit = try exitDescriptor(ofChild: number, program)
        try events.watch(exit.number)
        return exit
    } catch {
        signalGroup(ofChild: number, SIGKILL)
        reapLater(child: number)
        throw error
    }
}

private func exitDescriptor(ofChild number: pid_t, _ program: String) throws(AudioError) -> OwnedDescriptor {
    let descriptor = clinux_pidfd_open(number)
    guard descriptor < 0 else { return OwnedDescriptor(owning: descriptor) }
    let status = errno
    switch status {
    case ESRCH: throw AudioError(unknownEndOf: program)
    // Before Linux 5.3, in some sandboxes, and in Valgrind.
    case ENOSYS, EPERM, EACCES: return try exitDescriptorWithThread(ofChild: number)
    default: throw AudioError(systemCall: "pidfd_open", status: status)
    }
}

/// As a pidfd, by a thread that waits.
func exitDescriptorWithThread(ofChild number: pid_t) throws(AudioError) -> OwnedDescriptor {
    let exited = try WakeUp()
    let copy = clinux_fcntl_int(exited.descriptor, F_DUPFD_CLOEXEC, 0)
    guard copy >= 0 else { throw AudioError(systemCall: "fcntl", status: errno) }
    let descriptor = OwnedDescriptor(owning: copy)
    _ = try WorkerThread(name: "va-call") {
        // SAFETY: the kernel fills a local.
        var information = unsafe siginfo_t()
        while unsafe waitid(P_PID, id_t(number), &information, WEXITED | WNOWAIT) < 0 && errno == EINTR {}
        exited.signal()
    }
    return descriptor
}

/// Sends a signal to all processes of a child's group, unless the child has been reaped: then its number may be another's.
///
/// - Returns: Whether it has not been.
@discardableResult
func signalGroup(ofChild number: pid_t, _ signal: Int32) -> Bool {
    // SAFETY: the kernel fills a local.
    var information = unsafe siginfo_t()
    let isOurs = unsafe waitid(P_PID, id_t(number), &information, WEXITED | WNOHANG | WNOWAIT) == 0
    if isOurs { kill(-number, signal) }
    return isOurs
}

/// Takes a child's status.
func reap(child number: pid_t, blocking: Bool) -> ChildProcess.End {
    var status: Int32 = 0
    while true {
        // SAFETY: the kernel fills a local.
        let reaped = unsafe waitpid(number, &status, blocking ? 0 : WNOHANG)
        if reaped == number { break }
        if reaped < 0 && errno == EINTR { continue }
        return .unknown
    }
    let signal = status & 0x7F
    return signal == 0 ? .exited(status >> 8 & 0xFF) : .signalled(signal)
}

/// Takes a child's status on a thread of its own, which waits for it.
func reapLater(child number: pid_t) {
    do throws(AudioError) {
        _ = try WorkerThread(name: "va-call") { _ = reap(child: number, blocking: true) }
    } catch {
        _ = reap(child: number, blocking: true)
    }
}
