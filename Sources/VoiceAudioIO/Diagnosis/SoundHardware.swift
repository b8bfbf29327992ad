import VoiceAudioCore

/// Hardware for sound that no driver has taken, so that it makes no sound card.
package struct DriverlessHardware: Sendable, Hashable {
    /// For people: `PCI device 0000:00:1f.3`.
    package var description: String
    /// Loads the driver.
    package var command: String

    package init(description: String, command: String) {
        self.description = description
        self.command = command
    }

    /// What there is on the PCI and USB buses.
    static func all(_ roots: SystemRoots) -> [DriverlessHardware] { onPCI(roots) + onUSB(roots) }

    private static func onPCI(_ roots: SystemRoots) -> [DriverlessHardware] {
        let bus = "\(roots.sys)/bus/pci/devices"
        return KernelFiles.names(in: bus).filter { address in
            // Class 4 is multimedia, of it 1 and 3 sound: before and since the standard for it.
            let code = KernelFiles.line(ofFile: "\(bus)/\(address)/class") ?? ""
            return ["0x0401", "0x0403"].contains { code.hasPrefix($0) }
                && !KernelFiles.exists("\(bus)/\(address)/driver")
        }.map { address in
            DriverlessHardware(
                description: "PCI device \(address)",
                command: "sudo modprobe \"$(cat /sys/bus/pci/devices/\(address)/modalias)\"")
        }
    }

    private static func onUSB(_ roots: SystemRoots) -> [DriverlessHardware] {
        let bus = "\(roots.sys)/bus/usb/devices"
        let isSound = KernelFiles.names(in: bus).filter { interface in
            KernelFiles.line(ofFile: "\(bus)/\(interface)/bInterfaceClass") == "01"
                && !KernelFiles.exists("\(bus)/\(interface)/driver")
        }
        // `1-2:1.0`: several interfaces make one device.
        let devices = Set(isSound.compactMap { $0.split(separator: ":").first.map(String.init) })
        return devices.sorted().map { device in
            let product = KernelFiles.line(ofFile: "\(bus)/\(device)/product").map { " (\($0))" } ?? ""
            return DriverlessHardware(
                description: "USB device \(device)\(product)", command: "sudo modprobe snd-usb-audio")
        }
    }
}

/// What a kernel offers for sound.
package struct KernelSound: Sendable, Hashable {
    /// Whether ALSA is in the kernel, or loaded: `/proc/asound` or `/sys/class/sound` is there.
    package var isLoaded: Bool
    /// The kernel's version.
    package var release: String?
    /// Whether the system has sound drivers for this kernel; `nil` where it has no modules, as in containers.
    package var hasDrivers: Bool?
    /// Whether there are nodes: `/dev/snd`.
    package var hasNodes: Bool
    /// The container that this process runs in; `nil` where none is known.
    package var container: Container?
    package var driverless: [DriverlessHardware]

    /// What runs containers.
    package enum Container: String, Sendable { case docker, podman }

    package init(
        isLoaded: Bool, release: String? = nil, hasDrivers: Bool? = nil, hasNodes: Bool = true,
        container: Container? = nil, driverless: [DriverlessHardware] = []
    ) {
        self.isLoaded = isLoaded
        self.release = release
        self.hasDrivers = hasDrivers
        self.hasNodes = hasNodes
        self.container = container
        self.driverless = driverless
    }

    init(_ roots: SystemRoots) {
        let folders = ["\(roots.proc)/asound", "\(roots.sys)/class/sound"]
        isLoaded = folders.contains { !KernelFiles.names(in: $0).isEmpty }
        release = KernelFiles.line(ofFile: "\(roots.proc)/sys/kernel/osrelease")
        if let release, KernelFiles.exists("\(roots.root)/lib/modules/\(release)") {
            hasDrivers = KernelFiles.exists("\(roots.root)/lib/modules/\(release)/kernel/sound")
        }
        hasNodes = KernelFiles.exists("\(roots.dev)/snd")
        if KernelFiles.exists("\(roots.root)/run/.containerenv") {
            container = .podman
        } else if KernelFiles.exists("\(roots.root)/.dockerenv") {
            container = .docker
        }
        driverless = DriverlessHardware.all(roots)
    }
}
