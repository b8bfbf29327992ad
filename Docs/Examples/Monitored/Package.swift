// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "Monitored",
    dependencies: [
        .package(name: "VoiceAudio", path: "../../..")
    ],
    targets: [
        .executableTarget(
            name: "Monitored",
            dependencies: ["VoiceAudio", .product(name: "VoiceAudioMonitor", package: "VoiceAudio")])
    ]
)
