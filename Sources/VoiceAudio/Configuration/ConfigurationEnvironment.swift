import CLinux
import Glibc

extension AudioConfiguration {
    /// The variables that a configuration is read from.
    public struct Environment: Sendable {
        // A few pairs in an array: the first dictionary of a process costs a megabyte of memory.
        private var variables: [(name: String, value: String)] = []

        /// Variables of your own, by their full names.
        public init(_ variables: [String: String]) {
            self.variables = variables.map { (name: $0.key, value: $0.value) }.sorted { $0.name < $1.name }
        }

        /// The `VOICE_AUDIO_*` variables of this process as they are now.
        ///
        /// > Concurrency: Reads the process environment, which no thread may change meanwhile (`setenv(3)`).
        public static var process: Environment {
            var environment = Environment()
            // SAFETY: the environment is an array of C strings that ends with a null pointer; each is copied at once.
            guard var next = unsafe clinux_environment() else { return environment }
            let prefix = SettingDescription.prefix
            while let entry = unsafe next.pointee {
                unsafe next += 1
                guard unsafe strncmp(entry, prefix, prefix.utf8.count) == 0 else { continue }
                let text = unsafe String(cString: entry)
                guard let end = text.firstIndex(of: "=") else { continue }
                let name = String(text[..<end])
                // The first of two equal names is the one that getenv(3) gives.
                guard environment[name] == nil else { continue }
                environment.variables.append((name: name, value: String(text[text.index(after: end)...])))
            }
            return environment
        }

        private init() {}

        /// A variable's value, by its full name; `nil` where it is not set.
        package subscript(name: String) -> String? { variables.first { $0.name == name }?.value }

        var names: [String] { variables.map(\.name).sorted() }
    }
}
