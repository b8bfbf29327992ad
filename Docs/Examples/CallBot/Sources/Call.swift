import VoiceAudio

/// One call from its first packet to its last.
struct Call {
    let name: String
    let calls: SessionRegistry
    let archive: ComponentRegistry

    init(name: String, in calls: SessionRegistry, archive: ComponentRegistry) {
        self.name = name
        self.calls = calls
        self.archive = archive
    }

    func take() async throws {
        let line = PushSource(
            format: StreamFormat(sampleRateHz: 8000, channelCount: 1, encoding: .pcm(.s16)), name: name)
        let call = try await calls.begin(name, source: line, metadata: ["direction": "incoming"])
        let chunks = call.processor.chunks(bounded: 250, overflow: .uniform(.dropOldest))
        let caller = Task { try await speak(into: line) }

        guard let archive = archive["archive"] as? Archive else { return }
        let writer = try archive.writer(for: name, format: call.processor.configuration.format)
        try call.attach(writer, named: "file") { try $0.finish() }  // whatever ends the call

        // The call is over when its line is.
        for try await chunk in chunks {
            try writer.append(chunk)
            if let loss = chunk.lossBefore { try call.append("\(loss)", to: "losses") }
        }
        try await caller.value
        let ended = try await call.end()
        let losses = try ended.values(String.self, in: "losses")
        print("\(name): \(writer.frameCount) frames in \(writer.path), \(losses.count) losses")
    }

    /// Plays the far end: four seconds of speech, packet by packet, where a SIP stack would push what it received.
    private func speak(into line: PushSource) async throws {
        defer { line.finish() }  // whatever happens: nobody else tells the session that there will be no more
        var configuration = AudioConfiguration()
        configuration.sampleRateHz = line.format.sampleRateHz
        configuration.chunkFrameCount = 160
        let caller = AudioProcessor(source: SimulatedSource.speech(), configuration: configuration)
        defer { caller.cleanup() }
        let packets = caller.chunks()
        try await caller.arm(deadline: .seconds(60))  // eight prepare their speech at once
        for try await packet in packets {
            line.push(packet.bytes)
            if packet.framePosition >= 4 * line.format.sampleRateHz { break }
        }
    }
}
