import Foundation
import TestSupport
import Testing

/// The monitor in a real control group.
struct PressureInGroupTests {
    @Test(.timeLimit(.minutes(5))) func theLevelFollowsWhatAProcessTakesOfItsGroupsLimit() throws {
        let limitBytes = 96 << 20
        do {
            let run = try MemoryTakerRun(limitBytes: limitBytes)
            let isVersion1 = FileManager.default.fileExists(atPath: "/sys/fs/cgroup/memory/memory.limit_in_bytes")
            #expect(
                run.hasPassedEachLevel(of: isVersion1 ? "cgroup_v1" : "cgroup_v2", limitBytes: limitBytes),
                "\(run.output)")
        } catch let unavailable as MemoryLimitedGroup.Unavailable {
            print("skipped: no group of processes with a limit of memory can be made here: \(unavailable)")
        }
    }
}
