import Glibc
import VoiceAudioCore

/// alsa-lib's calls that a diagnosis needs. The seam where a test puts its own.
package protocol DiagnosisCalls: ALSADeviceCalls, ALSAMixerCalls {
    /// What a PCM's name leads to in ALSA's configuration, when capturing.
    func meaning(ofPCM name: String) -> DefaultPCM
}

extension SystemALSACalls: DiagnosisCalls {}

/// Where capturing from a device leads to.
package enum CaptureRoute: Sendable, Hashable {
    /// No device at all: simulated.
    case simulated
    case card(SoundCard)
    /// A card of that number or id, which is not there.
    case missingCard(String)
    /// A plugin of that type, which ends what ALSA knows.
    case plugin(String)
    /// Nothing: ALSA's configuration does not know the name, or cannot follow it.
    case nothing

    /// Whether a sound server is on the way.
    package var isServer: Bool {
        guard case .plugin(let type) = self else { return false }
        return ["pulse", "pipewire", "jack"].contains(type)
    }

    /// The control device whose mixer belongs to it; `nil` where there is none.
    package var control: String? {
        switch self {
        case .card(let card): "hw:\(card.id)"
        case .plugin(let type): isServer ? type : nil
        case .simulated, .missingCard, .nothing: nil
        }
    }
}

/// What the system tells of its sound, before anything is opened: what a diagnosis reasons about.
package struct SoundSystem: Sendable {
    package var kernel: KernelSound
    package var cards: [SoundCard]
    package var route: CaptureRoute
    /// Nodes of the control and of the capturing PCMs: of the card meant, else of all cards.
    package var nodes: [DeviceNode]
    package var user: ProcessUser
    /// Programs that hold the card meant.
    package var holders: [DeviceHolders.Holder]
    package var server: SoundServer
    /// What could be captured from: names, and names by identity.
    package var names: [String]

    package init(
        kernel: KernelSound = KernelSound(isLoaded: true), cards: [SoundCard] = [], route: CaptureRoute = .nothing,
        nodes: [DeviceNode] = [], user: ProcessUser = ProcessUser(id: 1000, name: "user", groupIDs: [1000]),
        holders: [DeviceHolders.Holder] = [], server: SoundServer = SoundServer(), names: [String] = []
    ) {
        self.kernel = kernel
        self.cards = cards
        self.route = route
        self.nodes = nodes
        self.user = user
        self.holders = holders
        self.server = server
        self.names = names
    }

    /// Looks at what `device` needs; opens no PCM.
    ///
    /// - Parameter device: The device's name; `nil` where sound is simulated.
    package init(device: String?, calls: any DiagnosisCalls, roots: SystemRoots) {
        let messages = ALSAMessages()
        defer { messages.end() }
        kernel = KernelSound(roots)
        cards = calls.cards()
        route = .simulated
        holders = []
        if let device {
            // A name by identity that means no card, or several, leads nowhere; opening it tells why.
            let name = try? CardName.resolve(device, cards)
            switch name.map(calls.meaning(ofPCM:)) {
            case .card(let text):
                route = cards.first { $0.isMeant(by: text) }.map { .card($0) } ?? .missingCard(text)
            case .plugin(let type): route = .plugin(type)
            case .nothing, nil: route = .nothing
            }
            if case .card(let card) = route {
                holders = DeviceHolders.holders(device: "hw:\(card.index)", root: roots.proc)
                    .filter { $0.processID != Int(getpid()) }
            }
        }
        let meant = if case .card(let card) = route { [card] } else { cards.filter { !$0.capturingPCMs.isEmpty } }
        nodes = meant.flatMap { CardFiles(roots: roots).nodes(ofCard: $0) }.filter { !$0.hasSuffix("p") }
            .compactMap { DeviceNode(at: "\(roots.dev)/snd/\($0)") }
        user = .current
        server = SoundServer(roots)
        let devices = (try? CaptureDevices.list(calls)) ?? []
        names = devices.map(\.name).filter { $0 != "null" } + cards.compactMap(\.stableName)
    }
}
