/// How a lease came back, when not simply clean.
package enum ReturnCondition: Sendable, Equatable {
    /// Something runs, a transaction is open or the session was changed: to be cleaned first.
    case dirty
    /// The connection is lost.
    case broken
    /// The borrower wants it closed.
    case discarded
    /// The server's role is no longer the one asked for.
    case roleChanged
}

extension PoolStateMachine {
    /// A lease came back and its connection cannot simply be used again.
    package mutating func returned(
        _ id: ConnectionID, _ condition: ReturnCondition, now: MonotonicTime
    ) -> [PoolAction] {
        guard let position = position(of: id, in: .leased) else { return [] }
        noteUse(position, now: now)
        switch condition {
        case .dirty:
            reset(position, now: now)
        case .broken:
            close(position, .broken, now: now)
            suspectIdle(now)
        case .discarded:
            close(position, .discarded, now: now)
        case .roleChanged:
            close(position, .roleChanged, now: now)
            suspectIdle(now)
        }
        return settle(now)
    }

    package mutating func resetSucceeded(_ id: ConnectionID, now: MonotonicTime) -> [PoolAction] {
        guard let position = position(of: id, in: .resetting) else { return [] }
        if isKeepable(position, now: now) { makeIdle(position, now: now) }
        return settle(now)
    }

    package mutating func resetFailed(_ id: ConnectionID, now: MonotonicTime) -> [PoolAction] {
        guard let position = position(of: id, in: .resetting) else { return [] }
        close(position, .resetFailed, now: now)
        return settle(now)
    }

    package mutating func checkSucceeded(_ id: ConnectionID, now: MonotonicTime) -> [PoolAction] {
        guard let position = position(of: id, in: .checking) else { return [] }
        if isKeepable(position, now: now) { makeIdle(position, now: now) }
        return settle(now)
    }

    /// - Parameter reason: `foundDead` or `roleChanged`.
    package mutating func checkFailed(
        _ id: ConnectionID, _ reason: CloseReason = .foundDead, now: MonotonicTime
    ) -> [PoolAction] {
        guard let position = position(of: id, in: .checking) else { return [] }
        if reason == .foundDead { counters.deadFound += 1 }
        close(position, reason, now: now)
        return settle(now)
    }

    /// The connection's socket is closed and its backend gone: the slot is free again.
    package mutating func closed(_ id: ConnectionID, now: MonotonicTime) -> [PoolAction] {
        guard let position = position(of: id, in: .closing) else { return [] }
        free(position, now: now)
        return settle(now)
    }

    /// SQLSTATE 57P01, 57P02, 57P03, class 08 or 25006 on a connection that is still leased: the others may be
    /// no better, so idle ones are pinged now and leased ones when they come back.
    package mutating func serverLossReported(now: MonotonicTime) -> [PoolAction] {
        suspectIdle(now)
        return settle(now)
    }

    mutating func suspectIdle(_ now: MonotonicTime) {
        generation &+= 1
        guard lifecycle == .open else { return }
        for index in idle {
            check(Int(index), now: now)
        }
        idle.removeAll(keepingCapacity: true)
    }

    private mutating func reset(_ position: Int, now: MonotonicTime) {
        if let reason = slots[position].retirement { return close(position, reason, now: now) }
        guard lifecycle == .open else { return close(position, .poolClosed, now: now) }
        move(position, to: .resetting, now: now)
        slots[position].site = nil
        counters.resets += 1
        actions.append(.reset(id(of: position)))
    }
}
