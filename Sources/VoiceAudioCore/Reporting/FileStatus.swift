import Glibc

extension AudioError.Code {
    /// The file's format cannot hold more.
    public static let fileTooLarge = Self(rawValue: "fileTooLarge")
}

extension AudioError {
    /// The error of a file that could not be opened or read.
    package init(reading path: String, status: Int32) {
        switch status {
        case ENOENT, ENOTDIR:
            self.init(.noSuchFile, "there is no file \"\(path)\": check its name and directory", status: status)
        case EACCES, EPERM:
            self.init(
                .permissionDenied, "\"\(path)\" may not be read: ask its owner for read permission", status: status)
        case EMFILE, ENFILE, ENOMEM:
            self.init(
                .outOfResources, "\"\(path)\" could not be opened: \(Self.text(ofSystemStatus: status))",
                status: status)
        default:
            self.init(
                .unreadableFile, "\"\(path)\" could not be read: \(Self.text(ofSystemStatus: status))", status: status)
        }
    }

    /// The error of a file or directory that could not be created or written.
    package init(writing path: String, status: Int32) {
        switch status {
        case ENOSPC, EDQUOT:
            self.init(.diskFull, "no space left to write \"\(path)\": free some, or write elsewhere", status: status)
        case EFBIG:
            self.init(.fileTooLarge, "\"\(path)\" reached the largest size that its system allows", status: status)
        case EMFILE, ENFILE, ENOMEM:
            self.init(
                .outOfResources, "\"\(path)\" could not be written: \(Self.text(ofSystemStatus: status))",
                status: status)
        default:
            self.init(
                .notWritable, "\"\(path)\" could not be written: \(Self.reason(ofWriteStatus: status))", status: status)
        }
    }

    private static func reason(ofWriteStatus status: Int32) -> String {
        switch status {
        case ENOENT: "no such directory; create it, or name another"
        case ENOTDIR: "a part of its path is not a directory"
        case EISDIR: "it is a directory; name a file in it"
        case EACCES, EPERM: "permission denied; choose a place that you may write to"
        case EROFS: "its file system is read-only; choose another place"
        default: text(ofSystemStatus: status)
        }
    }
}
