// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "CallBot",
    dependencies: [
        .package(name: "VoiceAudio", path: "../../..")
    ],
    targets: [
        .executableTarget(name: "CallBot", dependencies: ["VoiceAudio"])
    ]
)
