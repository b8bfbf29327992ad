import TestSupport
import Testing

extension KernelTests {
    /// Control groups of version 2, and the kernel's stall events.
    @Suite struct MemoryPressureKernelTests {
        /// The hierarchy, with its memory controller, if that is not there yet.
        private func mountGroups() throws {
            try KernelGuest.run(
                """
                sh -c 'test -e /sys/fs/cgroup/cgroup.procs || mount -t cgroup2 none /sys/fs/cgroup
                echo +memory >/sys/fs/cgroup/cgroup.subtree_control'
                """)
        }

        @Test func theLevelFollowsWhatAProcessTakesOfItsGroupsLimit() throws {
            try mountGroups()
            let run = try MemoryTakerRun(limitBytes: 96 << 20)
            #expect(run.hasPassedEachLevel(of: "cgroup_v2", limitBytes: 96 << 20), "\(run.output)")
        }

        @Test func whatStallsForLackOfMemoryHasTheMonitorSample() throws {
            try mountGroups()
            // Beyond `high` the kernel keeps a process waiting, and does not end it.
            let output = try KernelGuest.run(
                """
                sh -c 'cd /sys/fs/cgroup; mkdir events; echo 48M >events/memory.high
                echo $$ >events/cgroup.procs; exec /guest/MemoryTaker events'
                """)
            #expect(output.hasPrefix("event after ") && output.hasSuffix(" MiB of 48\n"), "\(output)")
            try KernelGuest.run("rmdir /sys/fs/cgroup/events")
        }
    }
}
