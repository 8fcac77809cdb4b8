extension TimeScanner {
    mutating func scanInterval() throws(TimeError) -> TimeValue {
        var total = IntervalTotal()
        let isNegated = peek == UInt8(ascii: "-") && offset + 1 < bytes.count && bytes[offset + 1] == UInt8(ascii: "P")
        if isNegated { offset += 1 }
        if take("P") {
            try scanDesignated(&total)
        } else {
            try scanWords(&total)
        }
        let value = try total.value()
        return isNegated ? try value.negated() : value
    }

    /// After `P`: `1Y2M3W4DT5H6M7.8S`, each with its own sign.
    mutating func scanDesignated(_ total: inout IntervalTotal) throws(TimeError) {
        var isTime = false
        guard offset < bytes.count else { throw failure }
        while offset < bytes.count {
            if take("T") {
                isTime = true
                guard offset < bytes.count else { throw failure }
            }
            guard let number = signedNumber(), let designator = peek else { throw failure }
            offset += 1
            let unit: String
            switch (designator, isTime) {
            case (UInt8(ascii: "Y"), false): unit = "year"
            case (UInt8(ascii: "M"), false): unit = "mon"
            case (UInt8(ascii: "W"), false): unit = "week"
            case (UInt8(ascii: "D"), false): unit = "day"
            case (UInt8(ascii: "H"), true): unit = "hour"
            case (UInt8(ascii: "M"), true): unit = "min"
            case (UInt8(ascii: "S"), true): unit = "sec"
            default: throw failure
            }
            guard total.add(number, unit) else { throw failure }
        }
    }

    /// `1 year 2 mons -3 days +04:05:06.7`, also with `ago` at the end.
    mutating func scanWords(_ total: inout IntervalTotal) throws(TimeError) {
        var found = false
        while offset < bytes.count {
            if bytes[offset...].elementsEqual("ago".utf8), found {
                offset = bytes.count
                total.negate()
                return
            }
            let start = offset
            let sign = peek
            if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { offset += 1 }
            if let clock = scanLongClock() {
                total.microseconds += Int128(sign == UInt8(ascii: "-") ? -clock : clock)
            } else {
                offset = start
                guard let number = signedNumber() else { throw failure }
                skipBlanks()
                guard total.add(number, word()) else { throw failure }
            }
            found = true
            skipBlanks()
        }
        guard found else { throw failure }
    }

    /// `H…H:MM[:SS[.f]]`: hours have no limit in an interval.
    mutating func scanLongClock() -> Int64? {
        guard let hours = digits(1...9), take(":"), let minutes = digits(2...2), minutes < 60 else { return nil }
        var seconds = 0
        var fraction: Int64 = 0
        if take(":") {
            guard let value = digits(2...2), value < 60 else { return nil }
            seconds = value
            fraction = takeFraction() ?? 0
        }
        return Int64(hours * 3600 + minutes * 60 + seconds) * 1_000_000 + fraction
    }

    /// In millionths.
    mutating func signedNumber() -> Int128? {
        let isNegative = peek == UInt8(ascii: "-")
        if isNegative || peek == UInt8(ascii: "+") { offset += 1 }
        guard let whole = digits(1...18) else { return nil }
        let value = Int128(whole) * 1_000_000 + Int128(takeFraction() ?? 0)
        return isNegative ? -value : value
    }
}
