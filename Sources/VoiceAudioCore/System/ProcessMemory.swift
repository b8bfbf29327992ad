import CLinux
import Glibc

/// What the kernel says of this process's memory.
package enum ProcessMemory {
    /// Gives what `malloc` keeps for later back to the system.
    package static func trimHeap() { malloc_trim(0) }

    /// Resident bytes, from `/proc/self/statm`; 0 where that cannot be read.
    package static var residentBytes: Int {
        // SAFETY: the path is a constant; below, the kernel writes within the count.
        let descriptor = unsafe clinux_open("/proc/self/statm", O_RDONLY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return 0 }
        defer { close(descriptor) }
        var text = InlineArray<128, UInt8>(repeating: 0)
        var span = text.mutableSpan
        let count = unsafe span.withUnsafeMutableBufferPointer { unsafe read(descriptor, $0.baseAddress, $0.count) }
        // The second number is resident pages.
        var fields = 0
        var pages = 0
        for index in 0..<max(0, count) {
            switch text[index] {
            case UInt8(ascii: " "): fields += 1
            case let digit where fields == 1: pages = pages * 10 + Int(digit) - 48
            default: break
            }
        }
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }
}
