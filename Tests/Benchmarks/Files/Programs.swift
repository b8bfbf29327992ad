import Glibc

/// Whether a program is in PATH.
func isInPath(_ program: String) -> Bool {
    (getenv("PATH").map { String(cString: $0) } ?? "").split(separator: ":").contains {
        access("\($0)/\(program)", X_OK) == 0
    }
}

/// Runs a program to its end; its first line of output.
func run(_ program: String, _ arguments: [String]) -> String {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { fatalError("no pipe") }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    posix_spawn_file_actions_addclose(&actions, ends[0])
    posix_spawn_file_actions_addclose(&actions, ends[1])
    var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var child = pid_t()
    guard posix_spawnp(&child, program, &actions, nil, &words, environ) == 0 else { fatalError("no \(program)") }
    close(ends[1])
    defer { close(ends[0]) }
    var text = [UInt8](repeating: 0, count: 200)
    let count = read(ends[0], &text, text.count)
    var status: Int32 = 0
    waitpid(child, &status, 0)
    guard status == 0 else { fatalError("\(program) failed") }
    return String(decoding: text.prefix(max(0, count)).prefix { $0 != 10 }, as: UTF8.self)
}
