import VoiceAudioCore
import VoiceAudioIO

// Whether there is a sound card, and whether it may be opened.
extension Examination {
    // MARK: The kernel

    var kernelFindings: [Finding] {
        if cause == .kernel { return [noCard(.failure)] }
        if !capturingCards.isEmpty {
            let names = capturingCards.map { "\($0.id) (\($0.name))" }.joined(separator: ", ")
            return needsCard ? [Finding(.kernel, .fine, "sound cards with a microphone: \(names)")] : []
        }
        // A sound server on this machine has no more than the kernel.
        let isLocalServer = system.route.isServer && system.server.address == nil
        return isLocalServer && !listening.isAudible ? [noCard(.warning)] : []
    }

    private func noCard(_ outcome: Finding.Outcome) -> Finding {
        let (message, remedies) = reasonForNoCard
        return Finding(
            .kernel, outcome, "no capture device: \(message)",
            remedies: remedies
                + [.init("export VOICE_AUDIO_DEVICE=sim:", note: "captures built-in speech, without a sound card")],
            errorCode: outcome == .failure ? .noSuchDevice : nil)
    }

    private var reasonForNoCard: (message: String, remedies: [Finding.Remedy]) {
        let kernel = system.kernel
        let cards = system.cards.map { "\($0.id) (\($0.name))" }.joined(separator: ", ")
        if !kernel.hasNodes, !system.cards.isEmpty || kernel.container != nil {
            if kernel.container != nil {
                return ("/dev/snd is not passed into this container", passingIn(.docker) + passingIn(.podman))
            }
            return (
                "the kernel has the sound cards \(cards), but /dev/snd is not there",
                [.init("sudo udevadm trigger --subsystem-match=sound --action=add", note: "makes it")]
                    + passingIn(.docker) + passingIn(.podman)
            )
        }
        if let hardware = kernel.driverless.first {
            return (
                "no driver has taken \(kernel.driverless.map(\.description).joined(separator: ", "))",
                [.init(hardware.command, note: "loads it")]
            )
        }
        if !system.cards.isEmpty {
            return ("the sound cards only play: \(cards)", [.init(note: "plug in a microphone")])
        }
        if kernel.hasDrivers == false {
            let release = kernel.release ?? "running"
            return (
                "the kernel \(release) has no sound drivers, as those for machines in a cloud",
                [
                    .init("sudo apt-get install linux-image-amd64", note: "on Debian; then start that kernel"),
                    .init("sudo apt-get install \"linux-modules-extra-$(uname -r)\"", note: "on Ubuntu"),
                ]
            )
        }
        return (
            kernel.isLoaded ? "the kernel has no sound card" : "the kernel has no sound card, nor ALSA loaded",
            [.init("lspci -nnk | grep -iA3 audio; lsusb", note: "show whether there is hardware; plug in a microphone")]
        )
    }

    private func passingIn(_ container: KernelSound.Container) -> [Finding.Remedy] {
        guard system.kernel.container == nil || system.kernel.container == container else { return [] }
        let remedy: Finding.Remedy =
            switch container {
            case .docker:
                .init(
                    "docker run --device /dev/snd --group-add \"$(getent group audio | cut -d: -f3)\"",
                    note: "and your other options: passes it in")
            case .podman:
                .init(
                    "podman run --device /dev/snd --group-add keep-groups",
                    note: "and your other options: passes it in")
            }
        return [remedy]
    }

    // MARK: Permission

    var permissionFindings: [Finding] {
        guard needsCard else { return [] }
        if cause == .kernel { return skipped(.permission) }
        let blocked = system.nodes.filter { !$0.canOpen }
        if cause == .permission {
            if let node = blocked.last ?? system.nodes.last { return [refused(by: node, of: blocked)] }
            return [
                Finding(
                    .permission, .failure, "no capture device: /dev/snd is there, but the card's nodes are not",
                    remedies: [.init("sudo udevadm trigger --subsystem-match=sound --action=add", note: "makes them")]
                        + (system.kernel.container.map(passingIn) ?? []),
                    errorCode: listening.error?.code)
            ]
        }
        guard let node = blocked.first, case .card = system.route else {
            return [Finding(.permission, .fine, "the sound card may be opened")]
        }
        return [
            Finding(
                .permission, .warning, "\(node.path) may not be opened", remedies: remedies(for: node, of: blocked))
        ]
    }

    private func refused(by node: DeviceNode, of blocked: [DeviceNode]) -> Finding {
        let user = system.user
        let reason =
            if node.isOpenByMode(to: user) {
                "\(node.path) may be opened by its mode, but the system refuses it: a container's rules, or a "
                    + "security module"
            } else if node.groupID == 0 {
                "\(node.path) belongs to group \"\(node.groupName)\", not \"audio\""
            } else if !node.letsGroupIn {
                "\(node.path) lets in nobody but its owner, as its mode is \(String(node.mode, radix: 8))"
            } else if user.groupIDsAtLogin.contains(node.groupID) {
                "you are in group \"\(node.groupName)\", but this session began before that"
            } else {
                "/dev/snd is there, but you are not in group \"\(node.groupName)\""
            }
        return Finding(
            .permission, .failure, "no capture device: \(reason)", remedies: remedies(for: node, of: blocked),
            errorCode: .permissionDenied)
    }

    private func remedies(for node: DeviceNode, of blocked: [DeviceNode]) -> [Finding.Remedy] {
        let paths = blocked.map(\.path).joined(separator: " ")
        func join(_ group: String) -> Finding.Remedy {
            .init("sudo usermod -aG \(shellWord(group)) $USER", note: "then log in again")
        }
        let container = system.kernel.container.map(passingIn) ?? []
        if node.isOpenByMode(to: system.user) {
            let log = Finding.Remedy("sudo dmesg | grep -i denied", note: "tells which security module")
            return container.isEmpty ? [log] : container
        }
        let untilWhen = "until the next start; see udev's rules"
        if node.groupID == 0 {
            return [.init("sudo chgrp audio \(paths) && sudo chmod g+rw \(paths)", note: untilWhen), join("audio")]
        }
        if !node.letsGroupIn {
            let isMember = system.user.groupIDs.contains(node.groupID)
            return [.init("sudo chmod g+rw \(paths)", note: untilWhen)] + (isMember ? [] : [join(node.groupName)])
        }
        if system.user.groupIDsAtLogin.contains(node.groupID) {
            return [.init("newgrp \(shellWord(node.groupName))", note: "or log in again")]
        }
        return container + [join(node.groupName)]
    }
}

extension DeviceNode {
    fileprivate var letsGroupIn: Bool { mode & 0o060 == 0o060 }

    /// Whether owner, group or mode let `user` in, whoever refuses then.
    fileprivate func isOpenByMode(to user: ProcessUser) -> Bool {
        canOpen || user.id == 0 || (user.id == ownerID && mode & 0o600 == 0o600)
            || (user.groupIDs.contains(groupID) && letsGroupIn)
    }
}
