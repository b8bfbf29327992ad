/// What tells one sound card from all others, whatever number it has at present.
public struct CardIdentity: Sendable, Hashable, Codable {
    /// ALSA's short name of the card. Two cards of a kind may swap theirs (`Mic`, `Mic_1`) at the next start.
    public var cardID: String
    /// What the card hangs on; `nil` for one that exists in software only.
    public var bus: CardBus?
    /// Where it is plugged in, the same after each start.
    ///
    /// Of a USB device the host controller and the ports on the way (`0000:00:14.0-2.1`), of others the address on the
    /// bus (`0000:01:00.0`).
    public var path: String?
    /// What the USB device says of itself.
    public var usb: USBIdentity?

    /// An identity of the values given.
    public init(cardID: String, bus: CardBus? = nil, path: String? = nil, usb: USBIdentity? = nil) {
        self.cardID = cardID
        self.bus = bus
        self.path = path
        self.usb = usb
    }

    enum CodingKeys: String, CodingKey {
        case cardID = "card_id"
        case bus
        case path
        case usb
    }
}

/// What a USB device says of itself.
public struct USBIdentity: Sendable, Hashable, Codable {
    /// Four hexadecimal digits: the maker.
    public var vendorID: String
    /// Four hexadecimal digits: the maker's product.
    public var productID: String
    /// The single device's number. Many devices have none, and cheap ones all the same.
    public var serial: String?

    /// An identity of the values given.
    public init(vendorID: String, productID: String, serial: String? = nil) {
        self.vendorID = vendorID
        self.productID = productID
        self.serial = serial
    }

    enum CodingKeys: String, CodingKey {
        case vendorID = "vendor_id"
        case productID = "product_id"
        case serial
    }
}

/// What a sound card hangs on: the kernel's name of the bus.
public struct CardBus: RawRepresentable, Sendable, Hashable, Codable {
    /// The kernel's name.
    public let rawValue: String

    /// A bus by the kernel's name.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// A USB device.
    public static let usb = Self(rawValue: "usb")
    /// A card in a slot or on the board.
    public static let pci = Self(rawValue: "pci")
    /// A part of the board, or a driver without hardware.
    public static let platform = Self(rawValue: "platform")
}

extension CardBus: CustomStringConvertible {
    /// The kernel's name.
    public var description: String { rawValue }
}
