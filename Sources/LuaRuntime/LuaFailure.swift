import CLua
import CLuaShim

/// Why a task ended without results, in the form that people are shown.
package struct LuaFailure: Error, Sendable {
    package var error: ScriptError
    /// "file:line" of the raise, if it is known.
    package var position: String?
    /// Lua's own, with the innermost call first; empty if there is none.
    package var traceback: String
    package var interrupt: Interrupt?

    package init(error: ScriptError, position: String? = nil, traceback: String = "", interrupt: Interrupt? = nil) {
        self.error = error
        self.position = position ?? error.givenPosition
        self.traceback = traceback
        self.interrupt = interrupt
    }
}

/// Why running Lua code is made to stop; `pcall` does not catch it.
package enum Interrupt: Sendable, Equatable {
    case timeLimit
    /// Ctrl-C, or a signal that asks to end.
    case user
    case taskCancelled
    /// `os.exit(code)`.
    case exit(code: Int32)
}

extension LuaFailure {
    /// Reads what `task`'s coroutine died of: the error value is on top of its stack, its calls are still there.
    init(raisedIn task: LuaTask, _ state: LuaState, _ status: Int32) {
        let stack = state.stack  // The coroutine's own may be full.
        lua_xmove(task.thread, stack.thread, 1)
        defer { lua_xmove(stack.thread, task.thread, 1) }
        self.init(onTopOf: stack, status: status)
        if let kind = Interrupt(rh_killing(state.raw), exitCode: rh_exit_code(state.raw)) {
            interrupt = kind
            position = String(cString: rh_interrupt_position(state.raw))
        }
        if position?.isEmpty == true { position = nil }
        luaL_traceback(stack.thread, task.thread, nil, 0)
        traceback = stack.string(at: -1) ?? ""
        stack.pop()
    }

    /// Reads the error value on top of `stack`, without a traceback.
    fileprivate init(onTopOf stack: LuaStack, status: Int32) {
        let object = stack.object(at: -1, ErrorObject.type)
        let text = object == nil ? Self.text(of: stack) : ""
        let (place, message) = Self.splitPlace(text)
        self.init(
            error: object?.error ?? Self.known(message, status),
            position: object?.position ?? (object == nil ? place : nil))
    }

    /// What `tostring` makes of the error value on top of `stack`.
    private static func text(of stack: LuaStack) -> String {
        switch stack.type(at: -1) {
        case .string: return stack.string(at: -1) ?? ""
        case .nil: return "nil"
        case .number: return stack.integer(at: -1).map { "\($0)" } ?? "\(stack.number(at: -1) ?? 0)"
        case .table, .userdata: break
        default: return "(error object is a \(stack.describe(at: -1)) value)"
        }
        let name = stack.describe(at: -1)
        let text = stack.displayText(at: stack.count)
        return text == name || text.hasPrefix("\(name): 0x") ? "(error object is a \(name) value)" : text
    }

    /// Takes "file:line: " off a message that Lua has put it on.
    private static func splitPlace(_ text: String) -> (place: String?, message: String) {
        guard let match = text.prefixMatch(of: /(?<place>[^\n]{1,200}?:\d+): (?<message>(?s:.*))/) else {
            return (nil, text)
        }
        return (String(match.place), String(match.message))
    }

    private static func known(_ message: String, _ status: Int32) -> ScriptError {
        if message == "not enough memory" || status == LUA_ERRMEM {
            return ScriptError(
                code: "RH1205", "not enough memory: the script's limit is used up",
                hint: "Stream large results (conn:rows), or raise the limit with --limits memory=1GB.")
        }
        if message.hasPrefix("stack overflow") || message.contains("C stack overflow") {
            let line = message.prefix { $0 != "\n" && $0 != "(" }
            return ScriptError(
                code: "RH1206", String(line).trimmedAtEnd, hint: "A function calls itself without end.")
        }
        return ScriptError(code: "RH1000", message)
    }
}

extension LuaStack {
    /// What `xpcall`'s handler was given, on top of the stack, with the calls that it comes from.
    package func failure() -> LuaFailure {
        var failure = LuaFailure(onTopOf: self, status: LUA_ERRRUN)
        luaL_traceback(thread, thread, nil, 1)
        failure.traceback = string(at: -1) ?? ""
        pop()
        return failure
    }

    /// What Lua's `tostring` makes of the value at `index`; a metamethod that fails or waits gives the type's name.
    package func displayText(at index: Int32) -> String {
        let value = lua_absindex(thread, index)
        guard lua_checkstack(thread, 4) != 0 else { return describe(at: index) }
        pushGlobals()
        getField("tostring", of: -1)
        remove(at: -2)
        pushCopy(of: value)
        let status = rh_protected_call(thread, 1, 1)
        defer { pop() }
        guard status == LUA_OK, let text = string(at: -1) else { return describe(at: value) }
        return text
    }
}

extension ScriptError {
    /// Where it belongs, when no code of the script's runs any more that could tell.
    fileprivate var givenPosition: String? {
        if case .string(let position)? = fields["position"] { position } else { nil }
    }
}

extension String {
    fileprivate var trimmedAtEnd: String {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}

extension Interrupt {
    init?(_ kind: rh_interrupt, exitCode: Int32) {
        switch kind {
        case RH_TIME_LIMIT: self = .timeLimit
        case RH_USER_INTERRUPT: self = .user
        case RH_TASK_CANCELLED: self = .taskCancelled
        case RH_EXIT: self = .exit(code: exitCode)
        default: return nil
        }
    }
}
