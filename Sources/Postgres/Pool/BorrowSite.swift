/// Where a lease was asked for, in terms of the program that asked: what warnings and errors name.
package final class BorrowSite: Sendable, Equatable {
    /// What a leak warning shows beside the site.
    package struct Inspection: Sendable, Equatable {
        package var traceback: String?
        package var lastSQL: String?

        package init(traceback: String? = nil, lastSQL: String? = nil) {
            self.traceback = traceback
            self.lastSQL = lastSQL
        }
    }

    /// Short, such as `"shop.lua:12"`.
    package let description: String
    /// Called on the borrower's event loop, at most once, when a leak is reported.
    package let inspect: (@Sendable () -> Inspection)?

    /// The borrower keeps the connection for as long as its work takes: no leak, however long that is.
    package let isLasting: Bool

    package init(_ description: String, isLasting: Bool = false, inspect: (@Sendable () -> Inspection)? = nil) {
        self.description = description
        self.isLasting = isLasting
        self.inspect = inspect
    }

    package static let unknown = BorrowSite("an unknown place")

    /// Compares the descriptions only.
    package static func == (left: BorrowSite, right: BorrowSite) -> Bool {
        left.description == right.description
    }
}

/// The task that borrows, so that one waiting for itself is noticed. Equal numbers are the same task.
package struct BorrowerID: Hashable, Sendable {
    package let number: UInt64

    package init(_ number: UInt64) {
        self.number = number
    }

    /// A borrower that nothing is known about: never taken for another one.
    package static let anonymous = BorrowerID(0)
}
