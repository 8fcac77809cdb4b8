import Foundation
import Testing

extension Trait where Self == ConditionTrait {
    /// Minutes and gigabytes: only with `REPLHOST_SLOW_TESTS` in the environment.
    static var slow: Self {
        .enabled(
            if: ProcessInfo.processInfo.environment["REPLHOST_SLOW_TESTS"] != nil, "REPLHOST_SLOW_TESTS is not set")
    }
}
