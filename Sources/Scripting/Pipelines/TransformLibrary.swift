import CLuaShim
import LuaRuntime
import Replication

/// What the standard library's Lua code of pipelines gives to the host, in one Lua state.
final class TransformLibrary {
    /// Values that are told apart by their address: the objects live as long as the library.
    let drop: UnsafeRawPointer?
    let copy: UnsafeRawPointer?
    let skip: UnsafeRawPointer?
    let routed: UnsafeRawPointer?
    let pipeline: UnsafeRawPointer?
    let unfinished: UnsafeRawPointer?
    /// The table of `replhost.transforms`.
    private let drivers: LuaReference
    private let values: LuaReference
    private var stateOfChanges: ChunkState?
    /// What `stateOfChanges` belongs to.
    private weak var session: AnyObject?
    private let state: LuaState

    private static let loader = """
        local pipeline, metatables = require "replhost.pipeline", require("replhost.pipeline").metatables
        return { pipeline.drop, pipeline.copy, pipeline.skip, metatables.routed, metatables.pipeline, metatables.unfinished },
          require "replhost.transforms"
        """

    init(_ state: LuaState) throws(ScriptError) {
        self.state = state
        let stack = state.stack
        try state.load(Self.loader, named: "=pipelines")
        guard rh_protected_call(stack.thread, 0, 2) == 0 else {
            defer { stack.pop() }
            throw ScriptError(code: "RH1006", "cannot load the standard library: \(stack.displayText(at: stack.count))")
        }
        drivers = stack.makeReference()
        let addresses = (1...6).map { position in
            stack.pushElement(position, of: stack.count)
            defer { stack.pop() }
            return stack.address(at: -1)
        }
        (drop, copy, skip) = (addresses[0], addresses[1], addresses[2])
        (routed, pipeline, unfinished) = (addresses[3], addresses[4], addresses[5])
        values = stack.makeReference()
    }

    deinit {
        guard !state.isClosed else { return }
        state.stack.release(drivers)
        state.stack.release(values)
    }

    /// Durable values as a stream's functions see them: those of earlier batches may not be committed yet.
    func changeState(_ output: ChunkOutput) -> ChunkState {
        if let state = stateOfChanges, session === output.session {
            state.output = output
            return state
        }
        let made = ChunkState(output)
        stateOfChanges = made
        session = output.session
        return made
    }

    /// Pushes the function of `replhost.transforms` with this name.
    func pushDriver(_ name: String, to stack: LuaStack) {
        stack.push(drivers)
        stack.getField(name, of: -1)
        stack.remove(at: -2)
    }
}
