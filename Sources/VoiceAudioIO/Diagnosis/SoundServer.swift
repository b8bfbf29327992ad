import CLinux
import Glibc
import VoiceAudioCore

/// Where a sound server's clients look for it, and what is there.
package struct SoundServer: Sendable, Hashable {
    /// `PULSE_SERVER`
    package var address: String?
    /// `XDG_RUNTIME_DIR`
    package var runtimeDirectory: String?
    /// Whose directory that is; `nil` where there is none.
    package var runtimeOwnerID: UInt32?
    /// Whether the server's socket is in there.
    package var hasSocket: Bool
    /// Who called `sudo`.
    package var sudoUser: String?
    /// The server that is installed; `nil` where none is found.
    package var installed: Program?

    /// A sound server's program.
    package enum Program: Sendable { case pipeWire, pulseAudio }

    package init(
        address: String? = nil, runtimeDirectory: String? = nil, runtimeOwnerID: UInt32? = nil, hasSocket: Bool = false,
        sudoUser: String? = nil, installed: Program? = nil
    ) {
        self.address = address
        self.runtimeDirectory = runtimeDirectory
        self.runtimeOwnerID = runtimeOwnerID
        self.hasSocket = hasSocket
        self.sudoUser = sudoUser
        self.installed = installed
    }

    /// As this process finds it by its environment.
    init(_ roots: SystemRoots) {
        address = Self.variable("PULSE_SERVER")
        runtimeDirectory = Self.variable("XDG_RUNTIME_DIR")
        sudoUser = Self.variable("SUDO_USER")
        let pulse = Self.variable("PULSE_RUNTIME_PATH") ?? runtimeDirectory.map { "\($0)/pulse" }
        let sockets = [pulse.map { "\($0)/native" }, runtimeDirectory.map { "\($0)/pipewire-0" }]
        hasSocket = sockets.contains { $0.map(KernelFiles.exists) ?? false }
        var status = stat()
        // SAFETY: the kernel fills a local; the path lives through the call.
        if let runtimeDirectory, unsafe stat(runtimeDirectory, &status) == 0 { runtimeOwnerID = status.st_uid }
        if KernelFiles.exists("\(roots.root)/usr/bin/pipewire-pulse") {
            installed = .pipeWire
        } else if KernelFiles.exists("\(roots.root)/usr/bin/pulseaudio") {
            installed = .pulseAudio
        }
    }

    private static func variable(_ name: String) -> String? {
        // SAFETY: the environment's string is copied at once.
        guard let value = unsafe getenv(name) else { return nil }
        let text = unsafe String(cString: value)
        return text.isEmpty ? nil : text
    }
}
