import CLinux
import Glibc
import Synchronization

/// A pair of fences for two threads of which each writes and then looks at what the other writes: the one that is often
/// there pays nothing, the one that is seldom there pays for both.
///
/// `often` only keeps the compiler from reordering, and `seldom` has the kernel fence every running thread of the process,
/// by membarrier(2): in that moment each `often` is either still to come, or all before it is seen. Where the kernel does
/// not have that, both are full fences.
package struct AsymmetricFence: Sendable {
    private let isCheap = isRegistered

    package init() {}

    /// The fence of the side that is often there.
    ///
    /// > Real-time: Safe: at most one instruction.
    @_noLocks @_noAllocation
    package func often() {
        if isCheap {
            // No instruction on x86-64, a full fence on ARM.
            atomicMemoryFence(ordering: .acquiringAndReleasing)
        } else {
            atomicMemoryFence(ordering: .sequentiallyConsistent)
        }
    }

    /// The fence of the other side.
    ///
    /// > Real-time: Not safe: a system call, which interrupts the processors that run this process.
    package func seldom() {
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        guard isCheap, clinux_membarrier(CLINUX_MEMBARRIER_PRIVATE_EXPEDITED) != 0 else { return }
        // A system-call filter was put in place since: there is no way back for the other side. What it wrote is in its
        // cache within microseconds, and then seen.
        usleep(1000)
    }
}

/// Whether the kernel will fence for this process: once, as it must be asked for.
private let isRegistered = clinux_membarrier(CLINUX_MEMBARRIER_REGISTER_PRIVATE_EXPEDITED) == 0
