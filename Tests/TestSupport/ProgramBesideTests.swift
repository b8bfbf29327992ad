package import Foundation

/// A program that SwiftPM built with the tests.
package func programBesideTests(_ name: String) -> URL {
    URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appendingPathComponent(name)
}
