/// Formats as C's `strftime` in the C locale, with `%f` (microseconds), `%L` (milliseconds), `%s`
/// (seconds since 1970) and `%z` (`+0200`) on top.
struct TimeFormatter {
    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
        "November", "December",
    ]
    private static let days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

    private let value: TimeValue
    private let date: CivilDate
    private let microseconds: Int64

    init(_ value: TimeValue) throws(TimeError) {
        guard value.isFinite else { throw .infinite(operation: "format") }
        guard value.kind != .interval else { throw .unsupported(operation: "format", "interval", "a date pattern") }
        self.value = value
        date = value.civilDate
        microseconds = value.localTimeOfDay
    }

    func format(_ pattern: String) throws(TimeError) -> String {
        var output = ""
        var rest = pattern.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            guard scalar == "%" else {
                output.unicodeScalars.append(scalar)
                continue
            }
            guard let conversion = rest.popFirst() else { throw .unknownFormat("%") }
            guard let text = try text(for: conversion) else { throw .unknownFormat("%\(conversion)") }
            output += text
        }
        return output
    }

    private var hour: Int { Int(microseconds / 3_600_000_000) }
    private var minute: Int { Int(microseconds / 60_000_000 % 60) }
    private var second: Int { Int(microseconds / 1_000_000 % 60) }

    private func text(for conversion: Unicode.Scalar) throws(TimeError) -> String? {
        switch conversion {
        case "Y": TimeValue.padded(date.year, 4)
        case "y": TimeValue.padded(((date.year % 100) + 100) % 100, 2)
        case "m": TimeValue.padded(date.month, 2)
        case "d": TimeValue.padded(date.day, 2)
        case "e": TimeValue.padded(date.day, 2, with: " ")
        case "j": TimeValue.padded(date.dayOfYear, 3)
        case "B": Self.months[date.month - 1]
        case "b": String(Self.months[date.month - 1].prefix(3))
        case "A": Self.days[date.weekday - 1]
        case "a": String(Self.days[date.weekday - 1].prefix(3))
        case "u": String(date.weekday)
        case "w": String(date.weekday % 7)
        default: try clockText(for: conversion)
        }
    }

    private func clockText(for conversion: Unicode.Scalar) throws(TimeError) -> String? {
        switch conversion {
        case "H": TimeValue.padded(hour, 2)
        case "I": TimeValue.padded((hour + 11) % 12 + 1, 2)
        case "p": hour % 24 < 12 ? "AM" : "PM"
        case "M": TimeValue.padded(minute, 2)
        case "S": TimeValue.padded(second, 2)
        case "f": TimeValue.padded(Int(microseconds % 1_000_000), 6)
        case "L": TimeValue.padded(Int(microseconds % 1_000_000 / 1000), 3)
        case "F": try format("%Y-%m-%d")
        case "T": try format("%H:%M:%S")
        case "s": String(value.microseconds.flooredQuotient(1_000_000))
        case "z": value.kind == .timestamptz ? value.zone(separator: "", short: false) : ""
        case "%": "%"
        default: nil
        }
    }
}
