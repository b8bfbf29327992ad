import VoiceAudioCore

extension MemoryBudget {
    /// All nodes of a tree, behind one lock: taking from a node looks at all those above it.
    final class Tree: Sendable {
        private struct Node: Sendable {
            let name: String
            let limitBytes: Int
            let parent: Int?
            var usedBytes = 0
            /// The most that was ever taken.
            var peakBytes = 0
            /// What was taken here and not below, by purpose.
            var purposes: [String: Int] = [:]

            var availableBytes: Int { limitBytes - usedBytes }

            /// Takes, or gives back; answers which node is above.
            mutating func change(by byteCount: Int) -> Int? {
                usedBytes += byteCount
                peakBytes = max(peakBytes, usedBytes)
                return parent
            }

            mutating func note(_ byteCount: Int, for purpose: String) {
                let taken = (purposes[purpose] ?? 0) + byteCount
                purposes[purpose] = taken == 0 ? nil : taken
            }
        }

        private struct State: Sendable {
            var nodes: [Int: Node] = [:]
            var lastNumber = 0

            /// Whichever of a node and those above it has the least left.
            func tightest(from number: Int) -> Node? {
                var tightest: Node?
                var place: Int? = number
                while let current = place, let node = nodes[current] {
                    if tightest.map({ node.availableBytes < $0.availableBytes }) ?? true { tightest = node }
                    place = node.parent
                }
                return tightest
            }
        }

        private let state = Lock(State())
        /// Of a fork's copy nothing is looked at: who has the lock may not be there.
        let owner = OwningProcess()

        func add(name: String, limitBytes: Int, parent: Int?) -> Int {
            state.withLock { state in
                state.lastNumber += 1
                state.nodes[state.lastNumber] = Node(name: name, limitBytes: limitBytes, parent: parent)
                return state.lastNumber
            }
        }

        func remove(_ number: Int) {
            guard owner.isCurrent else { return }
            state.withLock { _ = $0.nodes.removeValue(forKey: number) }
        }

        func change(_ number: Int, by byteCount: Int, for purpose: String) throws(AudioError) {
            try state.withLock { (state) throws(AudioError) in
                // Less is never refused.
                if byteCount > 0, let node = state.tightest(from: number), byteCount > node.availableBytes {
                    throw AudioError(
                        .budgetExceeded,
                        """
                        \(byteCount) bytes for \(purpose) are more than the memory budget "\(node.name)" has left: \
                        \(node.usedBytes) of \(node.limitBytes) are taken
                        """)
                }
                state.nodes[number]?.note(byteCount, for: purpose)
                var place: Int? = number
                while let current = place { place = state.nodes[current]?.change(by: byteCount) ?? nil }
            }
        }

        /// Has bytes that one purpose has count as another's.
        func move(_ number: Int, _ byteCount: Int, from purpose: String, to other: String) {
            state.withLock { state in
                state.nodes[number]?.note(-byteCount, for: purpose)
                state.nodes[number]?.note(byteCount, for: other)
            }
        }

        func usedBytes(_ number: Int) -> Int {
            guard owner.isCurrent else { return 0 }
            return state.withLock { $0.nodes[number]?.usedBytes ?? 0 }
        }

        func availableBytes(_ number: Int) -> Int {
            guard owner.isCurrent else { return 0 }
            return state.withLock { $0.tightest(from: number)?.availableBytes ?? 0 }
        }

        /// `nil` in a fork.
        func report(_ number: Int) -> MemoryBudgetReport? {
            guard owner.isCurrent else { return nil }
            return state.withLock { state in
                var children: [Int: [Int]] = [:]
                for (place, node) in state.nodes {
                    if let parent = node.parent { children[parent, default: []].append(place) }
                }
                return Self.report(number, state.nodes, children)
            }
        }

        private static func report(_ number: Int, _ nodes: [Int: Node], _ children: [Int: [Int]]) -> MemoryBudgetReport
        {
            let node = nodes[number]
            return MemoryBudgetReport(
                name: node?.name ?? "", limitBytes: node?.limitBytes ?? 0, usedBytes: node?.usedBytes ?? 0,
                peakBytes: node?.peakBytes ?? 0, purposes: node?.purposes ?? [:],
                children: (children[number] ?? []).sorted().map { report($0, nodes, children) })
        }
    }
}
