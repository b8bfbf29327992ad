/// A control of a sound card's mixer as `amixer` shows it: ALSA's simple element, its capture side.
package struct MixerElement: Sendable, Hashable {
    /// A volume that is set per channel.
    package struct Volume: Sendable, Hashable {
        package var range: ClosedRange<Int>
        /// One a channel, in the range.
        package var values: [Int]

        package init(range: ClosedRange<Int>, values: [Int]) {
            self.range = range
            self.values = values
        }
    }

    /// One of several, such as the socket that is captured from.
    package struct Choice: Sendable, Hashable {
        package var names: [String]
        package var chosen: Int

        package init(names: [String], chosen: Int) {
            self.names = names
            self.chosen = chosen
        }
    }

    package var name: String
    /// Tells elements of the same name apart.
    package var index: Int
    /// Whether each channel is on; `nil` where nothing can be switched.
    package var captureSwitch: [Bool]?
    package var captureVolume: Volume?
    /// A volume without direction: what is called a boost has this.
    package var commonVolume: Volume?
    package var choice: Choice?
    /// Whether it has a playback side, too, which a command has to leave as it is.
    package var hasPlayback: Bool

    package init(
        name: String, index: Int = 0, captureSwitch: [Bool]? = nil, captureVolume: Volume? = nil,
        commonVolume: Volume? = nil, choice: Choice? = nil, hasPlayback: Bool = false
    ) {
        self.name = name
        self.index = index
        self.captureSwitch = captureSwitch
        self.captureVolume = captureVolume
        self.commonVolume = commonVolume
        self.choice = choice
        self.hasPlayback = hasPlayback
    }
}
