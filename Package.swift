// swift-tools-version: 6.2

import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
    // Rows cross four modules: what is small is inlined, and the checks that debug builds make are left to them.
    .unsafeFlags(
        ["-cross-module-optimization", "-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

// Lua's errors jump over the functions of the shim, which the sanitizer's record of calls does not survive.
let unseenByThreadSanitizer: CSetting = .unsafeFlags(["-fno-sanitize=thread"])

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let bigInt: Target.Dependency = .product(name: "BigInt", package: "BigInt")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let heap: Target.Dependency = .product(name: "HeapModule", package: "swift-collections")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

let nio: [Target.Dependency] = ["NIOCore", "NIOHTTP1", "NIOPosix"].map { .product(name: $0, package: "swift-nio") }

let package = Package(
    name: "replhost",
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/attaswift/BigInt", from: "6.0.1"),
    ],
    targets: [
        .systemLibrary(name: "CLua", pkgConfig: "lua5.4", providers: [.apt(["liblua5.4-dev"])]),
        .systemLibrary(name: "CLibpq", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .target(name: "CLuaShim", dependencies: ["CLua"], cSettings: [unseenByThreadSanitizer]),
        .target(name: "EventLoops", dependencies: [deque, heap], swiftSettings: strict),
        .target(name: "PostgresProtocol", swiftSettings: strict),
        .target(
            name: "Postgres",
            dependencies: ["CLibpq", "PostgresProtocol", "EventLoops", deque, logging],
            swiftSettings: strict),
        .target(
            name: "Replication", dependencies: ["PostgresProtocol", "Postgres", "EventLoops", deque, logging],
            swiftSettings: strict),
        .target(name: "LuaRuntime", dependencies: ["CLua", "CLuaShim", "EventLoops", deque], swiftSettings: strict),
        .target(name: "Sandbox", swiftSettings: strict),
        .target(
            name: "Scripting",
            dependencies: [
                "CLua", "CLuaShim", "EventLoops", "PostgresProtocol", "Postgres", "Replication", "LuaRuntime",
                "Sandbox",
                bigInt,
                crypto,
                logging,
            ],
            swiftSettings: strict),
        .target(
            name: "Console",
            dependencies: ["PostgresProtocol", "Scripting", "Sandbox", argumentParser, logging] + nio,
            swiftSettings: strict),
        .executableTarget(name: "replhost", dependencies: ["Console"], swiftSettings: strict),

        .target(name: "TestSupport", dependencies: ["Sandbox"], path: "Tests/TestSupport", swiftSettings: strict),
        .testTarget(name: "EventLoopsTests", dependencies: ["EventLoops"], swiftSettings: strict),
        .testTarget(
            name: "PostgresProtocolTests", dependencies: ["PostgresProtocol", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "PostgresTests", dependencies: ["Postgres", "PostgresProtocol", "EventLoops", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "ReplicationTests", dependencies: ["Replication", "PostgresProtocol"], swiftSettings: strict),
        .testTarget(
            name: "LuaRuntimeTests", dependencies: ["CLua", "CLuaShim", "EventLoops", "LuaRuntime"],
            swiftSettings: strict),
        .testTarget(name: "SandboxTests", dependencies: ["Sandbox", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "ScriptingTests", dependencies: ["CLua", "Scripting", "LuaRuntime", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "StdlibTests", dependencies: ["CLua", "CLuaShim", "LuaRuntime", "Scripting"], swiftSettings: strict),
        .testTarget(
            name: "ConsoleTests", dependencies: ["Console", "PostgresProtocol", "Scripting", argumentParser],
            swiftSettings: strict),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "EventLoops", "LuaRuntime", "Postgres", "PostgresProtocol", "Replication", "Sandbox", "Scripting",
                "TestSupport",
            ],
            swiftSettings: strict),
    ]
)
