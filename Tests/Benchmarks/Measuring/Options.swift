/// What a benchmark program is asked for: `[--quick] [--peers DIRECTORY] [--rounds NUMBER]`.
public struct Options {
    /// Less of everything, so that all questions together take minutes.
    public private(set) var isQuick = false
    /// Where `Scripts/bench` has put the peers' programs and modules.
    public private(set) var peers: String?
    /// How often each contestant has its turn, where given.
    public private(set) var rounds: Int?

    /// - Parameter arguments: Those of the program, without its name. Ends the program where they are wrong.
    public init(_ arguments: some Collection<String> = CommandLine.arguments.dropFirst()) {
        var rest = Array(arguments)[...]
        while let name = rest.popFirst() {
            switch name {
            case "--quick": isQuick = true
            case "--peers": peers = rest.popFirst()
            case "--rounds": rounds = rest.popFirst().flatMap(Int.init)
            default: fatalError("unknown argument '\(name)'; usage: [--quick] [--peers DIRECTORY] [--rounds NUMBER]")
            }
        }
    }
}
