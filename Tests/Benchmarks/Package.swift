// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that nobody who uses the library builds it. Scripts/bench builds and runs it.

let package = Package(
    name: "Benchmarks",
    dependencies: [.package(name: "VoiceAudio", path: "../..")],
    targets: [
        // What they share: options, series of numbers, turns, tables.
        .target(name: "Measuring", path: "Measuring", swiftSettings: [.swiftLanguageMode(.v6)]),
        // Programs that capture at the same time: where from, which, what they take.
        .target(
            name: "Capturing", dependencies: ["Measuring"], path: "Capturing", swiftSettings: [.swiftLanguageMode(.v6)]),
        .executableTarget(
            name: "embedded-capture", dependencies: [.product(name: "VoiceAudio", package: "VoiceAudio")],
            path: "Embedded", swiftSettings: [.swiftLanguageMode(.v6)]),
        // What the modules of the other rings have in common with the library's loops.
        .systemLibrary(name: "CPeers", path: "Peers"),
        // The library's ring and the others', behind one protocol.
        .target(
            name: "Rings", dependencies: ["CPeers", "Measuring", .product(name: "VoiceAudio", package: "VoiceAudio")],
            path: "Rings", swiftSettings: [.swiftLanguageMode(.v6)]),
    ]
)

/// Adds the program of a question: `bench-ring` for `Ring`.
@MainActor func question(_ name: String, _ dependencies: [Target.Dependency], products: [String] = ["VoiceAudio"]) {
    package.targets.append(
        .executableTarget(
            name: "bench-\(name.lowercased())",
            dependencies: ["Measuring"] + dependencies
                + products.map { .product(name: $0, package: "VoiceAudio") },
            path: name, swiftSettings: [.swiftLanguageMode(.v6)]))
}
question("Ring", ["Rings"])
question("Producer", ["Rings", "CPeers"])
question("Capture", ["Capturing"], products: [])
question("Memory", ["Capturing"], products: [])
question("Times", ["Capturing"], products: [])
question("Many", [])
question("Files", [])
question("Results", [], products: ["VoiceAudioMemory"])
question("Reports", [], products: ["VoiceAudio", "VoiceAudioMonitor"])
question("Pressure", [])

// What Scripts/thresholds counts.
package.targets += [
    .target(name: "CCounting", path: "Thresholds/CCounting"),
    .executableTarget(
        name: "bench-thresholds",
        dependencies: ["CCounting", .product(name: "VoiceAudio", package: "VoiceAudio")], path: "Thresholds",
        exclude: ["CCounting", "Checked"], swiftSettings: [.swiftLanguageMode(.v6)]),
]
