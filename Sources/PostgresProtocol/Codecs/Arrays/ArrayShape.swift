/// Lengths and lower bounds of an array's dimensions, at most six. No dimensions: the empty array.
package struct ArrayShape: Equatable, Sendable {
    package static let maximumDimensions = 6
    /// PostgreSQL's `MaxArraySize`.
    static let maximumElements = 134_217_727

    package private(set) var dimensions: Int
    private var lengths = SIMD8<Int32>(repeating: 0)
    private var lowerBounds = SIMD8<Int32>(repeating: 1)

    package static let empty = ArrayShape(dimensions: 0)

    private init(dimensions: Int) {
        self.dimensions = dimensions
    }

    /// One dimension from 1; the empty array for length 0.
    package init(length: Int) {
        self.init(dimensions: length == 0 ? 0 : 1)
        if length > 0 { lengths[0] = Int32(clamping: length) }
    }

    /// Outermost dimension first. Nil for more than six, for a length below 1, or for too many elements.
    package init?(lengths: [Int], lowerBounds: [Int]? = nil) {
        self.init(dimensions: 0)
        guard lowerBounds == nil || lowerBounds?.count == lengths.count else { return nil }
        for (index, length) in lengths.enumerated() {
            guard append(length: length, lowerBound: lowerBounds?[index] ?? 1) else { return nil }
        }
    }

    package func length(_ dimension: Int) -> Int { Int(lengths[dimension]) }

    package func lowerBound(_ dimension: Int) -> Int { Int(lowerBounds[dimension]) }

    /// Elements of all dimensions together.
    package var count: Int {
        guard dimensions > 0 else { return 0 }
        var product = 1
        for index in 0..<dimensions { product *= Int(lengths[index]) }
        return product
    }

    package var hasPlainBounds: Bool {
        for index in 0..<dimensions where lowerBounds[index] != 1 { return false }
        return true
    }

    /// Adds an inner dimension; false if that makes no valid array.
    mutating func append(length: Int, lowerBound: Int) -> Bool {
        guard dimensions < Self.maximumDimensions, length >= 1, length <= Self.maximumElements,
            let lower = Int32(exactly: lowerBound), Int32(exactly: lowerBound + length - 1) != nil
        else { return false }
        guard max(count, 1) * length <= Self.maximumElements else { return false }
        lengths[dimensions] = Int32(length)
        lowerBounds[dimensions] = lower
        dimensions += 1
        return true
    }

    /// How many braces open before the element with this index in row-major order; after it, as many as open before the
    /// next one close.
    func bracesOpening(before index: Int) -> Int {
        var size = 1
        var braces = 0
        var dimension = dimensions
        while dimension > 0 {
            dimension -= 1
            size *= Int(lengths[dimension])
            guard index % size == 0 else { break }
            braces += 1
        }
        return braces
    }
}
