import Testing

@testable import VoiceAudioCore

@Suite struct ChunkDescriptorTests {
    /// A descriptor holds the lowest 32 bits of a position, which begin anew after years.
    @Test func positionsAreToldApartWhereTheirBitsBeginAnew() throws {
        let table = try DescriptorTable(count: 4)
        for position in (1 << 32) - 10..<(1 << 32) + 10 {
            // SAFETY: an entry of a table that lives.
            let entry = unsafe table.entry(at: position)
            unsafe entry.pointee.publish(position - 4)
            #expect(unsafe !entry.pointee.isPublished(position))
            unsafe entry.pointee.publish(position)
            #expect(unsafe entry.pointee.isPublished(position) && entry.pointee.isPublished(position - 4))
            #expect(unsafe !entry.pointee.isPublished(position + 4))
        }
    }

    @Test func descriptorsFollowOneAnotherInACircle() throws {
        let table = try DescriptorTable(count: 3)
        for position in 0..<7 {
            // SAFETY: entries of a table that lives.
            #expect(unsafe table.entry(after: table.entry(at: position)) == table.entry(at: position + 1))
        }
    }
}
