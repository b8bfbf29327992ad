import Glibc
package import VoiceAudioCore

/// What was being done when alsa-lib answered with an error.
package enum ALSAOperation: String, Sendable {
    case open, negotiate, start, wait, read, recover
    case listDevices = "list the devices of"
}

extension AudioError {
    /// The error for a status of alsa-lib's: the one place that maps them.
    ///
    /// - Parameters:
    ///   - alsaStatus: A negative `errno` value, as alsa-lib answers.
    ///   - operation: What was being done.
    ///   - device: The PCM's name.
    ///   - calls: To tell which devices there are.
    package init(
        alsaStatus: Int32, operation: ALSAOperation, device: String, calls: any ALSACalls = SystemALSACalls()
    ) {
        let status = alsaStatus < 0 ? -alsaStatus : alsaStatus
        let text = Self.text(ofSystemStatus: status)
        let isSettingUp = operation == .open || operation == .negotiate || operation == .listDevices
        switch status {
        case ENOENT where isSettingUp, ENODEV where isSettingUp, ENXIO where isSettingUp:
            self.init(
                .noSuchDevice, "no capture device \"\(device)\" (\(text)); \(CaptureDevices.summary(calls))",
                status: status)
        case EBUSY where isSettingUp, EAGAIN where isSettingUp:
            self.init(
                .busy,
                "\(device) is busy: \(DeviceHolders.summary(device: device)). End that program, or use a device that "
                    + "can be shared, such as \"default\"",
                status: status)
        case EACCES, EPERM:
            self.init(
                .permissionDenied,
                "no permission to use \(device). Add yourself to the audio group: sudo usermod -aG audio $USER, "
                    + "then log in again",
                status: status)
        case ECONNREFUSED:
            self.init(
                .deviceFailed,
                "sound server not reachable for \(device) (\(text)). Is PulseAudio or PipeWire running for this user? "
                    + "`pactl info` tells",
                status: status)
        case ENOMEM, EMFILE, ENFILE:
            self.init(.outOfResources, "cannot \(operation.rawValue) \(device): \(text)", status: status)
        case ENODEV, ENXIO, EBADFD:
            self.init(.deviceLost, "\(device) went away (\(operation.rawValue): \(text))", status: status)
        case _ where operation == .recover:
            self.init(.deviceLost, "\(device) stopped and cannot be started again: \(text)", status: status)
        case EINVAL where operation == .open:
            self.init(
                .noSuchDevice,
                "\"\(device)\" is no ALSA device name, or its configuration is wrong (\(text)); "
                    + CaptureDevices.summary(calls),
                status: status)
        default:
            self.init(.deviceFailed, "cannot \(operation.rawValue) \(device): \(text)", status: status)
        }
    }
}
