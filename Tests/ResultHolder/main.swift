// Appends results to a collector that spills to the directory named by its first argument, until it is killed. Prints a
// line of 16 bytes for each, so that who does not read them stops it.
//
// With a second argument it forks instead while results are in memory and on disk, and exits with 0 if the fork was
// refused and took nothing from its parent; with `limit`, it may write no more than a megabyte to a file, and exits with 0
// if that was refused and lost nothing.
import Glibc
import VoiceAudioCore
import VoiceAudioMemory

guard CommandLine.arguments.count >= 2 else { fatalError("usage: ResultHolder DIRECTORY [fork|limit]") }

let results = ResultCollector<[UInt8]>(
    budget: .bytes(128 << 10), spill: ResultSpill(directory: CommandLine.arguments[1], minimumFreeBytes: 0))

/// Whether every use in a fork is refused, or finds nothing.
func isRefused(_ iterator: ResultCollector<[UInt8]>.Iterator) -> Bool {
    func code(_ body: () throws -> Void) -> AudioError.Code? {
        do { try body() } catch { return (error as? AudioError)?.code }
        return nil
    }
    results.close()
    return code { try results.append([1]) } == .invalidState && code { _ = try results.result(at: 0) } == .invalidState
        && code { _ = try results.freeMemory(.emergency) } == .invalidState
        && code { _ = try iterator.next()?.get() } == .invalidState
        && results.count == 0 && results.removeAll() == 0 && results.makeIterator().next() == nil
}

func fork() throws -> Bool {
    for number in 0..<1000 { try results.append([UInt8](repeating: UInt8(number & 127), count: 1000)) }
    let iterator = results.makeIterator()
    // SAFETY: fork, which Swift hides, takes nothing and returns a number.
    let child = unsafe unsafeBitCast(dlsym(nil, "fork"), to: (@convention(c) () -> pid_t).self)()
    if child == 0 { _exit(isRefused(iterator) ? 0 : 1) }
    var status: Int32 = 0
    // SAFETY: the kernel fills a local.
    while unsafe waitpid(child, &status, 0) < 0 && errno == EINTR {}
    let bytes = try IteratorSequence(iterator).map { try $0.get() }
    return child > 0 && status == 0 && bytes == (0..<1000).map { [UInt8](repeating: UInt8($0 & 127), count: 1000) }
}

func limit() throws -> Bool {
    // Whoever started this may have it ignored or blocked, as Foundation does.
    signal(SIGXFSZ, SIG_DFL)
    var signals = sigset_t()
    // SAFETY: all is done to a local.
    _ = unsafe (sigemptyset(&signals), sigaddset(&signals, SIGXFSZ), sigprocmask(SIG_UNBLOCK, &signals, nil))
    let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
    var before = rlimit()
    // SAFETY: the kernel fills a local.
    guard unsafe getrlimit(resource, &before) == 0 else { return false }
    var limits = rlimit(rlim_cur: 1 << 20, rlim_max: before.rlim_max)
    // SAFETY: the kernel reads a local.
    guard unsafe setrlimit(resource, &limits) == 0 else { return false }
    // What a build for coverage writes at its end may be more.
    defer { _ = unsafe setrlimit(resource, &before) }
    var count = 0
    do {
        while count < 5000 {
            try results.append([UInt8](repeating: UInt8(count & 127), count: 1000))
            count += 1
        }
    } catch {
        let bytes = try results.map { try $0.get() }
        return error.code == .fileTooLarge && results.spilledByteCount > 900_000
            && bytes == (0..<count).map { [UInt8](repeating: UInt8($0 & 127), count: 1000) }
    }
    return false
}

switch CommandLine.arguments.dropFirst(2).first {
case "fork": exit(try fork() ? 0 : 1)
case "limit": exit(try limit() ? 0 : 1)
default: break
}
let line = String(repeating: "-", count: 15) + "\n"
while true {
    try results.append([UInt8](repeating: 42, count: .random(in: 1...5000)))
    // SAFETY: the string lives through the call.
    if unsafe write(STDOUT_FILENO, line, 16) < 16 { exit(1) }
}
