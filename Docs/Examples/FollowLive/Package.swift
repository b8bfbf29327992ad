// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "FollowLive",
    dependencies: [
        .package(name: "VoiceAudio", path: "../../..")
    ],
    targets: [
        .executableTarget(name: "FollowLive", dependencies: ["VoiceAudio"])
    ]
)
