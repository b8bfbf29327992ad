import CLinux

extension AudioConfiguration {
    /// The variables that a configuration is read from.
    public struct Environment: Sendable, Hashable {
        private let variables: [String: String]

        /// Variables of your own, by their full names.
        public init(_ variables: [String: String]) { self.variables = variables }

        /// The `VOICE_AUDIO_*` variables of this process as they are now.
        ///
        /// > Concurrency: Reads the process environment, which no thread may change meanwhile (`setenv(3)`).
        public static var process: Environment {
            var variables: [String: String] = [:]
            // SAFETY: the environment is an array of C strings that ends with a null pointer; each is copied at once.
            guard var next = unsafe clinux_environment() else { return Environment(variables) }
            while let entry = unsafe next.pointee {
                let text = unsafe String(cString: entry)
                unsafe next += 1
                guard text.hasPrefix(SettingDescription.prefix), let end = text.firstIndex(of: "=") else { continue }
                // The first of two equal names is the one that getenv(3) gives.
                variables[String(text[..<end])] =
                    variables[String(text[..<end])] ?? String(text[text.index(after: end)...])
            }
            return Environment(variables)
        }

        subscript(name: String) -> String? { variables[name] }

        var names: [String] { variables.keys.sorted() }
    }
}
