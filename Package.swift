// swift-tools-version: 6.2
import PackageDescription

// Our own scripts set this: a new compiler's warning must not break a program that depends on the package.
let warningsAreErrors = Context.environment["VOICEAUDIO_WARNINGS_AS_ERRORS"] == "1"

let settings: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .strictMemorySafety(),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ] + (warningsAreErrors ? [.treatAllWarnings(as: .error)] : [])

let package = Package(
    name: "VoiceAudio",
    products: [
        .library(name: "VoiceAudio", targets: ["VoiceAudio"]),
        .library(name: "VoiceAudioMemory", targets: ["VoiceAudioMemory"]),
        .library(name: "VoiceAudioMonitor", targets: ["VoiceAudioMonitor"]),
        .executable(name: "voice-audio", targets: ["voice-audio"]),
        // For tests, ours and users': an ALSA microphone without hardware. alsa-lib looks for a file of this name.
        .library(name: "asound_module_pcm_numbered", type: .dynamic, targets: ["NumberedPCM"]),
    ],
    targets: [
        // Floor 0: C, seen from Swift.
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CALSA", pkgConfig: "alsa", providers: [.apt(["libasound2-dev"])]),
        .systemLibrary(name: "CSndFile", pkgConfig: "sndfile", providers: [.apt(["libsndfile1-dev"])]),
        .systemLibrary(
            name: "CSampleRate", pkgConfig: "samplerate", providers: [.apt(["libsamplerate0-dev"])]),
        // Not by pkg-config, which SwiftPM asks of all libraries: it would warn each program that does without this one.
        .systemLibrary(name: "CMicroHTTPD"),
        // Floor 1: the ring, and all real-time code that is not a PCM call.
        .target(name: "VoiceAudioCore", dependencies: ["CLinux"], swiftSettings: settings),
        // Floor 2: where sound comes from and goes to.
        .target(
            name: "VoiceAudioIO",
            dependencies: ["VoiceAudioCore", "CLinux", "CALSA", "CSndFile", "CSampleRate"],
            resources: [.embedInCode("Speech/speech.flac")],
            swiftSettings: settings),
        // Floor 2, too: what bounds the memory of a program around its capture, and knows nothing of capture.
        .target(name: "VoiceAudioMemory", dependencies: ["VoiceAudioCore", "CLinux"], swiftSettings: settings),
        // Floor 3: what users import.
        .target(
            name: "VoiceAudio", dependencies: ["VoiceAudioCore", "VoiceAudioIO", "VoiceAudioMemory", "CLinux"],
            swiftSettings: settings),
        // Floor 4: what not every program wants, with a C library of its own.
        .target(
            name: "VoiceAudioMonitor", dependencies: ["VoiceAudio", "VoiceAudioMemory", "CLinux", "CMicroHTTPD"],
            resources: [
                .embedInCode("Page/page.html"), .embedInCode("Page/page.css"), .embedInCode("Page/icon.svg"),
                .embedInCode("Page/page.js"), .embedInCode("Page/capture.js"), .embedInCode("Page/cleanup.js"),
                .embedInCode("Page/stream.js"), .embedInCode("Page/text.js"), .embedInCode("Page/tiles.js"),
            ],
            swiftSettings: settings),
        // Floor 5: the command line.
        .executableTarget(
            name: "voice-audio", dependencies: ["VoiceAudio", "VoiceAudioMonitor", "CLinux"],
            path: "Sources/voice-audio",
            swiftSettings: settings),
        // Loaded by alsa-lib, which finds its entry by a symbol that PIC turns on. No target may depend on it: it would be
        // linked statically. The flags keep the Swift runtime out: any program that captures through ALSA can load it.
        .target(
            name: "NumberedPCM", dependencies: ["CALSA"], publicHeadersPath: ".", cSettings: [.define("PIC")],
            linkerSettings: [.unsafeFlags(["-nostartfiles", "-static-stdlib"])]),
        // What several test targets share: process counts, a private sound server.
        .target(
            name: "TestSupport", dependencies: ["VoiceAudio", "CLinux"], path: "Tests/TestSupport",
            swiftSettings: settings),
        .testTarget(
            name: "VoiceAudioCoreTests", dependencies: ["VoiceAudioCore", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "VoiceAudioIOTests",
            dependencies: [
                "VoiceAudio", "VoiceAudioIO", "CALSA", "CLinux", "TestSupport", "TemporaryWAVHolder", "ForkingProgram",
            ],
            swiftSettings: settings),
        // Makes temporary files until it is killed.
        .executableTarget(
            name: "TemporaryWAVHolder", dependencies: ["VoiceAudioIO"], path: "Tests/TemporaryWAVHolder",
            swiftSettings: settings),
        // Forks while it captures.
        .executableTarget(
            name: "ForkingProgram", dependencies: ["VoiceAudio", "TestSupport"], path: "Tests/ForkingProgram",
            swiftSettings: settings),
        // Keeps what it works on until it is killed, or goes about it under memory governance.
        .executableTarget(
            name: "AccumulatingProgram", dependencies: ["VoiceAudioMemory", "VoiceAudioCore"],
            path: "Tests/AccumulatingProgram", swiftSettings: settings),
        // Takes the memory of a limited group, and tells what its monitor says.
        .executableTarget(
            name: "MemoryTaker", dependencies: ["VoiceAudioMemory", "VoiceAudioCore"], path: "Tests/MemoryTaker",
            swiftSettings: settings),
        .testTarget(
            name: "VoiceAudioMemoryTests",
            dependencies: ["VoiceAudioMemory", "CLinux", "TestSupport", "MemoryTaker", "ResultHolder"],
            swiftSettings: settings),
        // Collects results until it is killed, or forks with them.
        .executableTarget(
            name: "ResultHolder", dependencies: ["VoiceAudioCore", "VoiceAudioMemory"], path: "Tests/ResultHolder",
            swiftSettings: settings),
        // Captures into files until it is ended, with a shutdown hook.
        .executableTarget(
            name: "ShutdownProgram", dependencies: ["VoiceAudio", "TestSupport"], path: "Tests/ShutdownProgram",
            swiftSettings: settings),
        .testTarget(
            name: "VoiceAudioTests", dependencies: ["VoiceAudio", "TestSupport", "ShutdownProgram"],
            swiftSettings: settings),
        .testTarget(
            name: "VoiceAudioMonitorTests",
            dependencies: ["VoiceAudio", "VoiceAudioMonitor", "CLinux", "TestSupport", "voice-audio"],
            swiftSettings: settings),
        // Many threads at once: for ThreadSanitizer, which sees most in release. Of their own, as that is a build of its own.
        .testTarget(
            name: "StressTests", dependencies: ["VoiceAudio", "VoiceAudioCore", "VoiceAudioMemory", "TestSupport"],
            swiftSettings: settings),
        // Stands before malloc in the tests' program, and counts for one thread.
        .target(name: "CAllocationCounter", path: "Tests/CAllocationCounter"),
        // XCTest: one test at a time, so that process-wide counts mean something.
        .testTarget(
            name: "BoundsAndLeaksTests",
            dependencies: [
                "VoiceAudio", "VoiceAudioCore", "VoiceAudioIO", "VoiceAudioMemory", "VoiceAudioMonitor", "CLinux",
                "CAllocationCounter", "TestSupport", "AccumulatingProgram",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "CommandLineTests", dependencies: ["VoiceAudioMonitor", "TestSupport", "voice-audio"],
            swiftSettings: settings),
        // Scripts/soak runs it.
        .executableTarget(
            name: "Soak", dependencies: ["VoiceAudio", "VoiceAudioIO", "TestSupport"], path: "Tests/Soak",
            swiftSettings: settings),
        // Scripts/fuzz runs more of it. XCTest, for process-wide counts.
        .testTarget(
            name: "FuzzTests", dependencies: ["VoiceAudio", "VoiceAudioIO", "CLinux", "TestSupport", "voice-audio"],
            swiftSettings: settings),
        // Scripts/kernel-test runs them on a kernel with sound cards; elsewhere they say that they need it.
        .target(name: "CFrameNumbers", path: "Tests/CFrameNumbers"),
        .testTarget(
            name: "KernelTests",
            dependencies: ["VoiceAudio", "TestSupport", "CFrameNumbers", "voice-audio", "MemoryTaker"],
            swiftSettings: settings),
    ]
)

// Scripts/test builds with sanitizers, which takes minutes: without what it does not run then.
if let wanted = Context.environment["VOICEAUDIO_TEST_TARGETS"]?.split(separator: " ").map(String.init) {
    package.targets.removeAll { ($0.type == .test || $0.name == "Soak") && !wanted.contains($0.name) }
}
