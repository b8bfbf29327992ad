import VoiceAudioCore

/// Something to hang on until it is opened.
final class Gate: Sendable {
    private let wakeUp: WakeUp

    init() throws { wakeUp = try WakeUp() }

    func open() { wakeUp.signal() }

    func wait() {
        var descriptors = DescriptorSet(count: 1)
        descriptors.watch(wakeUp.descriptor, at: 0)
        while descriptors.poll(nanoseconds: nil) == 0 {}
    }
}
