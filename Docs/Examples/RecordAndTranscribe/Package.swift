// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "RecordAndTranscribe",
    dependencies: [
        .package(name: "VoiceAudio", path: "../../..")
    ],
    targets: [
        .executableTarget(name: "RecordAndTranscribe", dependencies: ["VoiceAudio"])
    ]
)
