import VoiceAudioCore
import VoiceAudioIO

// Whether the device that is wanted is there, and free; and whether the sound server answers.
extension Examination {
    // MARK: The device

    var deviceFindings: [Finding] {
        switch cause {
        case .device: return [noDevice]
        case .kernel, .permission: return skipped(.device)
        default: break
        }
        let meaning =
            switch system.route {
            case .simulated where DescriptorSource.isName(device):
                "is what another program sends, and needs no sound card"
            case .simulated: "is simulated, and needs no sound card"
            case .card(let card): "is sound card \(card.id) (\(card.name))"
            case .plugin(let type) where system.route.isServer: "goes to the sound server (\(type))"
            case .plugin(let type): "is ALSA's plugin \"\(type)\""
            case .missingCard, .nothing: "is there"
            }
        return [Finding(.device, .fine, "\"\(device)\" \(meaning)")]
    }

    private var noDevice: Finding {
        let message: String
        var names = nearNames
        switch system.route {
        case .missingCard(let id):
            let others = capturingCards.map { "\($0.id) (\($0.name))" }.joined(separator: ", ")
            message = "no sound card is \"\(id)\", which \"\(device)\" means; there are: \(others)"
        case .card(let card) where card.capturingPCMs.isEmpty:
            message = "\"\(device)\" is sound card \(card.id) (\(card.name)), which only plays"
            names = capturingCards.compactMap(\.stableName)
        case .card(let card) where listening.error?.code == .noSuchDevice:
            message = "sound card \(card.id) (\(card.name)) is there, but does not capture as \"\(device)\""
            names = card.capturingPCMs.map { "plughw:CARD=\(card.id),DEV=\($0.device)" }
        default: message = listening.error?.message ?? "there is no device \"\(device)\""
        }
        var remedies = names.map {
            Finding.Remedy("export VOICE_AUDIO_DEVICE=\(shellWord($0))", note: "or --device: what may be meant")
        }
        if case .plugin(let type) = system.route, system.route.isServer {
            let package = type == "pipewire" ? "pipewire-alsa" : "libasound2-plugins"
            remedies.append(.init("sudo apt-get install \(package)", note: "has the plugin \"\(type)\""))
        }
        if case .missingCard = system.route {
            remedies += system.kernel.driverless.map {
                .init($0.command, note: "loads the driver of \($0.description), which has none")
            }
        }
        if system.route != .simulated { remedies.append(.init("voice-audio devices", note: "lists what there is")) }
        return Finding(
            .device, .failure, message, remedies: remedies, errorCode: listening.error?.code ?? .noSuchDevice)
    }

    /// Up to three names that the one given may be a slip of.
    var nearNames: [String] {
        let wanted = Self.core(of: device)
        var near: [(name: String, distance: Int)] = []
        for name in system.names where name != device && !near.contains(where: { $0.name == name }) {
            let distance = editDistance(from: wanted, to: Self.core(of: name))
            if distance <= wanted.utf8.count / 3 { near.append((name, distance)) }
        }
        // Of names as near as each other, the first that is listed: sorting keeps no order.
        let ranked = near.enumerated().sorted { ($0.element.distance, $0.offset) < ($1.element.distance, $1.offset) }
        return ranked.prefix(3).map(\.element.name)
    }

    /// `hw:mic` of `hw:CARD=Mic,DEV=0`: what people write, and may miswrite.
    private static func core(of name: String) -> String {
        var core = name.lowercased()[...]
        if core.hasSuffix(",dev=0") { core = core.dropLast(6) }
        let parts = core.split(separator: ":", omittingEmptySubsequences: false)
        return parts.map { $0.hasPrefix("card=") ? $0.dropFirst(5) : $0 }.joined(separator: ":")
    }

    // MARK: Who holds it

    var busyFindings: [Finding] {
        if cause == .busy { return [busy] }
        guard case .card(let card) = system.route else { return [] }
        // The programs of others show only in the card's own files, and not in those of their processes.
        if cause == .permission { return skipped(.busy) }
        let holders = system.holders.map(\.text).joined(separator: ", ")
        if holders.isEmpty { return [Finding(.busy, .fine, "no other program holds \(card.id)")] }
        return [Finding(.busy, .fine, "\(card.id) is also captured from by \(holders)")]
    }

    private var busy: Finding {
        let holders = system.holders
        var remedies: [Finding.Remedy] = []
        let server = ["pipewire", "pulse", "default"].first { system.names.contains($0) && $0 != device }
        let serverHoldsIt = holders.contains { $0.isSoundServer }
        if serverHoldsIt, let server {
            remedies.append(
                .init("export VOICE_AUDIO_DEVICE=\(server)", note: "or --device: the sound server shares it"))
        }
        remedies += holders.prefix(4).filter { !$0.isSoundServer }.map {
            .init("kill \($0.processID)", note: "ends \($0.program)")
        }
        if serverHoldsIt {
            remedies.append(
                .init(
                    "systemctl --user stop pipewire.socket pipewire pulseaudio.socket pulseaudio",
                    note: "ends the sound server, of these the one that runs"))
        }
        if case .card(let card) = system.route, !holders.isEmpty, !serverHoldsIt {
            remedies.append(
                .init(
                    "export VOICE_AUDIO_DEVICE=plug:dsnoop:\(shellWord(card.id))",
                    note: "shares it, where the other program captures from dsnoop:\(card.id), too"))
        }
        if holders.isEmpty {
            let paths = system.nodes.map(\.path).filter { $0.hasSuffix("c") }.joined(separator: " ")
            remedies.append(.init("sudo fuser -v \(paths.isEmpty ? "/dev/snd/*" : paths)", note: "shows who holds it"))
        }
        let by = holders.isEmpty ? "another program" : holders.map(\.text).joined(separator: ", ")
        return Finding(
            .busy, .failure, "\"\(device)\" is busy: held by \(by)", remedies: remedies,
            errorCode: listening.error?.code ?? .busy)
    }

    // MARK: The sound server

    var serverFindings: [Finding] {
        guard system.route.isServer else { return [] }
        if cause == .server { return [unreachableServer] }
        return cause == nil || listening.report != nil
            ? [Finding(.server, .fine, "the sound server answers")] : skipped(.server)
    }

    private var unreachableServer: Finding {
        let server = system.server
        let user = system.user
        var remedies: [Finding.Remedy] = []
        let reason: String
        if let address = server.address {
            reason = "nothing answers at \(address), which PULSE_SERVER names"
            remedies = [.init("unset PULSE_SERVER", note: "looks for the server of this user")]
        } else if let directory = server.runtimeDirectory, let owner = server.runtimeOwnerID, owner != user.id {
            reason = "XDG_RUNTIME_DIR, \(directory), belongs to user \(owner), and this is user \(user.id)"
            remedies =
                server.sudoUser == nil
                ? [.init("export XDG_RUNTIME_DIR=/run/user/\(user.id)")]
                : [.init(note: "run it without sudo: the sound server serves its own user only")]
        } else if server.runtimeDirectory == nil {
            reason = "XDG_RUNTIME_DIR is not set, as in a service or under cron"
            remedies = [
                .init("export XDG_RUNTIME_DIR=/run/user/\(user.id)"),
                .init(
                    "sudo loginctl enable-linger \(user.name.map(shellWord) ?? "$USER")",
                    note: "lets the server run while you are not logged in"),
            ]
        } else if server.hasSocket {
            reason = "its socket is there, but it does not let us in"
            remedies = restart(server.installed)
        } else {
            reason = "it does not run for this user"
            remedies = restart(server.installed)
        }
        if server.installed != nil { remedies.append(.init("pactl info", note: "tells whether it answers")) }
        let status = listening.error?.status.map { " (\(AudioError.text(ofSystemStatus: $0)))" } ?? ""
        return Finding(
            .server, .failure, "the sound server does not answer\(status): \(reason)", remedies: remedies,
            errorCode: listening.error?.code)
    }

    private func restart(_ program: SoundServer.Program?) -> [Finding.Remedy] {
        switch program {
        case .pipeWire: [.init("systemctl --user restart pipewire pipewire-pulse wireplumber", note: "starts it")]
        case .pulseAudio: [.init("pulseaudio --kill; pulseaudio --start", note: "starts it")]
        case nil: [.init("sudo apt-get install pipewire-audio", note: "installs one; then log in again")]
        }
    }
}

extension DeviceHolders.Holder {
    fileprivate var text: String { "\(program) (process \(processID))" }

    fileprivate var isSoundServer: Bool { ["pulseaudio", "pipewire", "wireplumber", "jackd"].contains(program) }
}
