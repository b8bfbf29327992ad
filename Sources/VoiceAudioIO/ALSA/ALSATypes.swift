/// `snd_pcm_state_t`.
package enum PCMState: UInt32, Sendable {
    case open, setup, prepared, running, xrun, draining, paused, suspended, disconnected
}

/// Where a PCM is: its numbers in `/proc/asound` and `/dev/snd`.
package struct PCMPlace: Sendable, Hashable {
    package var card: Int
    package var device: Int
    package var subdevice: Int

    package init(card: Int, device: Int, subdevice: Int) {
        self.card = card
        self.device = device
        self.subdevice = subdevice
    }
}

/// One PCM that the configuration offers by name.
package struct PCMHint: Sendable, Hashable {
    package var name: String
    package var description: String
    /// `Input`, `Output`, or `nil` for both.
    package var direction: String?

    package init(name: String, description: String, direction: String?) {
        self.name = name
        self.description = description
        self.direction = direction
    }
}

/// `clockid_t` of the clocks that devices stamp with.
package enum SystemClockID: Int32, Sendable, CaseIterable {
    case realtime = 0
    case monotonic = 1
    case monotonicRaw = 4
    case bootTime = 7
}
