import CLinux
import Glibc
import Synchronization

/// Memory mapped twice, side by side, so that every stretch up to its capacity is contiguous wherever it starts.
///
/// A memfd without a name in the file system; its descriptor is closed once it is mapped. Pages come when they are
/// touched and go with ``releasePages(from:count:)``. A fork does not get the mapping: what it wrote would be written in
/// its parent's.
@safe
struct RingMemory: ~Copyable, Sendable {
    /// Bytes; a multiple of the page size.
    let capacity: Int
    // SAFETY: two mappings of `capacity` bytes each, unmapped in deinit. Who may touch which bytes is the ring's matter.
    nonisolated(unsafe) let base: UnsafeMutableRawPointer
    private let owner = OwningProcess()
    private let isInForks = Atomic<Bool>(false)

    /// - Throws: `outOfResources`.
    init(atLeast byteCount: Int) throws(AudioError) {
        capacity = Self.roundedUpToPages(byteCount)
        let descriptor = unsafe clinux_memfd_create(
            "voice-audio-ring", CLINUX_MFD_CLOEXEC | CLINUX_MFD_ALLOW_SEALING)
        guard descriptor >= 0 else { throw AudioError(systemCall: "memfd_create", status: errno) }
        defer { close(descriptor) }
        guard ftruncate(descriptor, capacity) == 0 else { throw AudioError(systemCall: "ftruncate", status: errno) }
        // Another process that got hold of the descriptor must not cut the pages away under the ring. Write seals are
        // left out: they make the kernel refuse to punch holes.
        guard clinux_fcntl_int(descriptor, CLINUX_F_ADD_SEALS, CLINUX_F_SEAL_SHRINK | CLINUX_F_SEAL_GROW) == 0 else {
            throw AudioError(systemCall: "fcntl(F_ADD_SEALS)", status: errno)
        }
        // SAFETY: the first call reserves addresses that nobody else uses; the others replace just those.
        let reserved = unsafe mmap(nil, 2 * capacity, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let reserved = unsafe reserved, unsafe reserved != MAP_FAILED else {
            throw AudioError(systemCall: "mmap", status: errno)
        }
        for half in 0..<2 {
            let mapped = unsafe mmap(
                reserved + half * capacity, capacity, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, descriptor, 0)
            guard unsafe mapped != MAP_FAILED else {
                let status = errno
                unsafe munmap(reserved, 2 * capacity)
                throw AudioError(systemCall: "mmap", status: status)
            }
        }
        _ = unsafe madvise(reserved, 2 * capacity, CLINUX_MADV_DONTFORK)
        unsafe base = reserved
    }

    deinit {
        // In a fork that did not get it, something else may lie there.
        if owner.isCurrent || isInForks.load(ordering: .relaxed) { unsafe munmap(base, 2 * capacity) }
    }

    /// Lets forks from now on have the mapping, too: for content that nobody changes any more.
    func shareWithForks() {
        // SAFETY: the mapping's own range.
        guard unsafe madvise(base, 2 * capacity, CLINUX_MADV_DOFORK) == 0 else { return }
        isInForks.store(true, ordering: .relaxed)
    }

    /// Gives the whole pages within `byteCount` bytes from `position` (modulo the capacity) back to the system.
    ///
    /// The bytes read as zero afterwards; nobody may be using them.
    func releasePages(from position: Int, count byteCount: Int) {
        let first = Self.roundedUpToPages(position)
        let end = (position + byteCount) / Self.pageSize * Self.pageSize
        guard end > first else { return }
        // SAFETY: at most one capacity from any offset lies within the double mapping.
        _ = unsafe madvise(base + first % capacity, min(end - first, capacity), CLINUX_MADV_REMOVE)
    }

    /// Bytes of the ring that are in memory, as the kernel counts them.
    var residentBytes: Int {
        let pageCount = capacity / Self.pageSize
        return unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: pageCount) { pages in
            // SAFETY: one byte a page; the range is the first mapping.
            guard unsafe mincore(base, capacity, pages.baseAddress) == 0 else { return 0 }
            var resident = 0
            for index in 0..<pageCount where unsafe pages[index] & 1 == 1 { resident += Self.pageSize }
            return resident
        }
    }

    static let pageSize = sysconf(Int32(_SC_PAGESIZE))

    static func roundedUpToPages(_ byteCount: Int) -> Int { (byteCount + pageSize - 1) / pageSize * pageSize }
}
