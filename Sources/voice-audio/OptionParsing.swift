import CLinux
import Glibc

/// The options that were given.
struct ParsedOptions: Sendable {
    fileprivate(set) var values: [String: String] = [:]

    /// Whether an option was given.
    func has(_ name: String) -> Bool { values[name] != nil }

    /// An option's argument.
    subscript(name: String) -> String? { values[name] }
}

/// Has getopt_long(3) read a command's arguments, with abbreviations and `--name=value` as everywhere.
func parse(_ arguments: [String], for command: Command) throws(CommandFailure) -> ParsedOptions {
    // getopt_long takes the first argument for the program's name. It only keeps addresses while it is used here.
    // SAFETY: copies that are freed at the end, in an array that ends with a null pointer.
    var vector = unsafe ([command.name] + arguments).map { unsafe strdup($0) } + [nil]
    let names = unsafe command.options.map { unsafe strdup($0.name) }
    let copies = unsafe vector + names
    defer { for index in unsafe copies.indices { unsafe free(copies[index]) } }
    var table = unsafe zip(names, command.options).enumerated().map { index, entry in
        unsafe option(
            name: entry.0, has_arg: entry.1.argument == nil ? no_argument : required_argument, flag: nil,
            val: Int32(index) + firstValue)
    }
    unsafe table.append(option())

    var parsed = ParsedOptions()
    clinux_getopt_restart()
    while true {
        // SAFETY: both arrays are terminated and live through the call. The leading colon keeps a missing argument apart
        // from an unknown option.
        let found = unsafe getopt_long(Int32(arguments.count + 1), &vector, ":h", table, nil)
        guard found != -1 else { break }
        if found == Int32(UInt8(ascii: "h")) {
            parsed.values["help"] = ""
            continue
        }
        let isKnown = command.options.indices.contains(Int(found - firstValue))
        guard isKnown else { throw unsafe failure(vector, command) }
        // SAFETY: the argument lies in the vector; it is copied.
        let argument = unsafe clinux_getopt_argument().map { unsafe String(cString: $0) }
        parsed.values[command.options[Int(found - firstValue)].name] = argument ?? ""
    }
    let rest = Int(clinux_getopt_index())
    guard rest > arguments.count else {
        throw CommandFailure(usage: unsafe "\"\(text(vector[rest]))\" is not an option", of: command)
    }
    return parsed
}

/// Above all characters, which stand for short options.
private let firstValue: Int32 = 256

/// What getopt_long just refused.
private func failure(_ vector: [UnsafeMutablePointer<CChar>?], _ command: Command) -> CommandFailure {
    let culprit = clinux_getopt_option()
    let place = Int(culprit - firstValue)
    guard command.options.indices.contains(place) else {
        // SAFETY: the index is behind the argument that was refused.
        let argument = unsafe text(vector[Int(clinux_getopt_index()) - 1])
        let given = culprit > 0 ? "-\(Unicode.Scalar(UInt8(truncatingIfNeeded: culprit)))" : argument
        return CommandFailure(usage: "\"\(given)\" is unknown or ambiguous", of: command)
    }
    let option = command.options[place]
    let problem = option.argument.map { "needs an argument, \($0)" } ?? "takes no argument"
    return CommandFailure(usage: "--\(option.name) \(problem)", of: command)
}

private func text(_ string: UnsafeMutablePointer<CChar>?) -> String {
    // SAFETY: a C string of the vector.
    unsafe string.map { unsafe String(cString: $0) } ?? ""
}
