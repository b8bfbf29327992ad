import Glibc

/// What a variable of the process environment says; `nil` where it is not set, empty, or no UTF-8.
///
/// > Concurrency: No thread may change the environment meanwhile (`setenv(3)`).
package func environmentVariable(_ name: String) -> String? {
    // SAFETY: the name is NUL-terminated for the call, and the value is copied at once.
    guard let value = unsafe getenv(name), let text = unsafe String(validatingCString: value) else { return nil }
    return text.isEmpty ? nil : text
}
