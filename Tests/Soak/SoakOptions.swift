/// What the command line asks for.
struct SoakOptions {
    var minutes = 10.0
    var fields = ""
    var device: String?

    struct Misuse: Error, CustomStringConvertible {
        let description: String
    }

    init(_ arguments: some Collection<String>) throws {
        var arguments = arguments[...]
        while let name = arguments.popFirst() {
            guard let value = arguments.popFirst() else { throw Misuse(description: "\(name) needs a value") }
            switch name {
            case "--minutes":
                guard let minutes = Double(value), minutes >= 0.1, minutes <= 1e6 else {
                    throw Misuse(description: "--minutes is \(value): accepted are 0.1 to 1000000")
                }
                self.minutes = minutes
            case "--fields": fields = value
            case "--device": device = value
            default: throw Misuse(description: "there is no \(name): accepted are --minutes, --fields and --device")
            }
        }
    }
}
