import Foundation

/// An ALSA configuration with the PCM `numbered`: a microphone at real-time pace, without hardware. With the usual ones, as
/// PortAudio does without none of them.
struct NumberedDevice {
    let lacking: String?
    private let directory: String

    init(peers: String?) {
        let plugin = "libasound_module_pcm_numbered.so"
        directory = NSTemporaryDirectory() + "/voice-audio-bench-\(UUID().uuidString)"
        lacking = reasonMissing(plugin, of: peers)
        guard lacking == nil, let peers else { return }
        let configuration = """
            </usr/share/alsa/alsa.conf>
            pcm_type.numbered { lib "\(URL(filePath: peers).path)/\(plugin)" }
            pcm.numbered { type numbered }
            """
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            try configuration.write(toFile: configurationPath, atomically: true, encoding: .utf8)
        } catch { fatalError("\(directory): \(error)") }
    }

    var environment: [String: String] { ["ALSA_CONFIG_PATH": configurationPath] }

    private var configurationPath: String { directory + "/numbered.conf" }

    func removeFiles() { try? FileManager.default.removeItem(atPath: directory) }
}
