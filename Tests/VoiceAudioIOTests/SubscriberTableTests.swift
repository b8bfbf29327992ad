import Synchronization
import TestSupport
import Testing
import VoiceAudioCore

@testable import VoiceAudioIO

/// Who is in the table, as others see it.
@Suite(.timeLimit(.minutes(15))) struct SubscriberTableTests {
    private final class Flag: Sendable {
        let isSet = Atomic<Bool>(false)
    }

    /// As where a capture ends while somebody subscribes to it.
    @Test func whoIsRemovedInTheMomentOfJoiningIsGone() throws {
        let table = SubscriberTable()
        let end = Flag()
        let remover = try ThreadResult { while !end.isSet.load(ordering: .acquiring) { table.removeAll() } }
        for _ in 0..<20_000 {
            let buffer = try BoundedAudioBuffer(maxChunks: 1, maxBytes: 320, format: .speech, maxChunkBytes: 320)
            let feed = try SubscriberTable.Feed(buffer)
            while true {
                do throws(AudioError) {
                    try table.add(feed)
                    break
                } catch {
                    guard error.code == .limitReached else { throw error }
                }
            }
        }
        end.isSet.store(true, ordering: .releasing)
        try remover.value()
        table.removeAll()
        #expect(table.buffers.isEmpty)
    }
}
