import BigInt

/// Powers of ten in the types that decimals are computed in.
enum PowersOfTen {
    private static let int128Table: [Int128] = {
        var table: [Int128] = [1]
        while table.count < 39 { table.append(table[table.count - 1] * 10) }
        return table
    }()

    private static let doubleTable: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]

    /// nil past 38.
    static func int128(_ exponent: Int) -> Int128? {
        exponent < int128Table.count ? int128Table[exponent] : nil
    }

    static func big(_ exponent: Int) -> BigInt {
        if let small = int128(exponent) { return BigInt(small) }
        return BigInt(10).power(exponent)
    }

    /// Exact; `exponent` from 0 to 22.
    static func double(_ exponent: Int) -> Double {
        doubleTable[exponent]
    }

    /// Digits of `value` in base ten; 0 for 0.
    static func digitCount(of value: UInt128) -> Int {
        // 1233 / 4096 is log10(2) to five places: the estimate is right or one too low.
        let bits = UInt128.bitWidth - value.leadingZeroBitCount
        let estimate = (bits * 1233) >> 12
        return value >= UInt128(int128Table[estimate]) ? estimate + 1 : estimate
    }

    static func digitCount(of value: BigUInt) -> Int {
        // Like the above with log10(2) * 2^32.
        let estimate = (value.bitWidth * 1_292_913_986) >> 32
        return value >= big(estimate).magnitude ? estimate + 1 : estimate
    }
}
