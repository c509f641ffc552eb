// swift-tools-version:6.1
import PackageDescription

let package = Package(
  name: "chainrun",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "LuaBridge", targets: ["LuaBridge"]),
    .library(name: "ChainTensors", targets: ["ChainTensors"]),
    .library(name: "ChainText", targets: ["ChainText"]),
    .library(name: "ChainHost", targets: ["ChainHost"]),
    .library(name: "ChainModels", targets: ["ChainModels"]),
    .library(name: "ChainTesting", targets: ["ChainTesting"]),
    .executable(name: "chainrun", targets: ["chainrun"]),
    .executable(name: "simulate", targets: ["simulate"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
  ],
  targets: [
    // One thin target for each C dependency.
    .systemLibrary(name: "CLua", pkgConfig: "lua5.4", providers: [.apt(["liblua5.4-dev"]), .brew(["lua"])]),
    .systemLibrary(name: "CUV", pkgConfig: "libuv", providers: [.apt(["libuv1-dev"]), .brew(["libuv"])]),
    // The C that raises Lua errors, so that no Swift frame is ever on the stack when Lua jumps.
    .target(name: "CLuaGuard", dependencies: ["CLua"], cSettings: [.define("_GNU_SOURCE")]),
    // What a thread is to a loop: C, because Swift's optimiser may move a question about the thread over a hop.
    .target(name: "CLoopThread", cSettings: [.define("_GNU_SOURCE")]),

    // What the system can take from the process; libseccomp is Linux's.
    .systemLibrary(name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
    .target(
      name: "CConfine", dependencies: [.target(name: "CSeccomp", condition: .when(platforms: [.linux]))],
      cSettings: [.define("_GNU_SOURCE")]),

    .target(name: "ChainBase"),
    .target(name: "ChainTensors", dependencies: ["ChainBase"]),
    .target(name: "ChainText", dependencies: ["ChainBase"]),
    .target(name: "ChainLoop", dependencies: ["ChainBase", "CUV", "CLoopThread"]),
    .target(name: "LuaBridge", dependencies: ["ChainBase", "CLua", "CLuaGuard"]),
    .target(
      name: "ChainHost",
      dependencies: ["ChainBase", "ChainLoop", "ChainTensors", "ChainText", "LuaBridge", "CLuaGuard", .product(name: "Logging", package: "swift-log")],
      resources: [.embedInCode("Lua/chain.lua"), .embedInCode("Lua/map_stream.lua"), .embedInCode("Lua/types.lua"), .embedInCode("Lua/annotations.lua"),
        .embedInCode("Lua/store.lua"), .embedInCode("Lua/text.lua"), .embedInCode("Lua/tensor_annotations.lua")]),
    // ONNX Runtime's C API, opened at run time: nothing of it is linked.
    .target(name: "COnnxRuntime", linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
    .target(name: "ChainModels", dependencies: ["ChainBase", "ChainLoop", "ChainTensors", "ChainText", "LuaBridge", "ChainHost", "COnnxRuntime"]),
    .target(name: "ChainTesting", dependencies: ["ChainHost", "ChainLoop"]),
    .executableTarget(
      name: "chainrun",
      dependencies: [
        "ChainBase", "ChainLoop", "LuaBridge", "ChainHost", "ChainModels", "CConfine",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    // Replays a seed of the property tests.
    .executableTarget(name: "simulate", dependencies: ["ChainTesting"]),

    .testTarget(name: "ChainTensorsTests", dependencies: ["ChainBase", "ChainTensors"]),
    .testTarget(name: "ChainTextTests", dependencies: ["ChainBase", "ChainHost", "ChainText"], exclude: ["Fixtures"]),
    .testTarget(name: "ChainLoopTests", dependencies: ["ChainLoop", "ChainTesting"]),
    // Stock Lua, for the sandbox to be compared with.
    .target(name: "CStockLua", dependencies: ["CLua"], path: "Tests/LuaDifference", exclude: ["cases.lua"]),
    .testTarget(name: "LuaBridgeTests", dependencies: ["LuaBridge", "CStockLua"]),
    // What is fuzzed; its corpus is an ordinary test.
    .target(
      name: "FuzzTargets", dependencies: ["ChainBase", "ChainHost", "LuaBridge", "CStockLua"], path: "Fuzz/Targets"),
    // The scripts of Tests/Hostile: for a test each, and for the soak in random order side by side.
    .target(name: "HostileScripts", dependencies: ["ChainBase", "ChainHost"], path: "Tests/HostileScripts"),
    .executableTarget(
      name: "soak", dependencies: ["ChainBase", "ChainHost", "ChainLoop", "ChainModels", "ChainTesting", "HostileScripts"],
      path: "Tests/Soak"),
    .testTarget(
      name: "ChainHostTests", dependencies: [
        "ChainBase", "ChainLoop", "ChainTensors", "ChainText", "LuaBridge", "ChainHost", "ChainTesting", "FuzzTargets", "HostileScripts",
      ]),
    // Says what a process behind the wall can still do.
    .executableTarget(name: "confine-probe", dependencies: ["CConfine"], path: "Tests/ConfineProbe", cSettings: [.define("_GNU_SOURCE")]),
    .testTarget(name: "ChainrunTests", dependencies: ["chainrun", "LuaBridge", "confine-probe"]),
    .testTarget(name: "ChainModelsTests", dependencies: ["ChainBase", "ChainLoop", "ChainTensors", "LuaBridge", "ChainHost", "ChainModels", "ChainTesting"],
      exclude: ["Graphs", "reference.py", "voice.py"]),
  ],
  swiftLanguageModes: [.v6]
)

// libFuzzer's driver links only with what scripts/fuzz passes to the compiler.
if Context.environment["CHAINRUN_FUZZ"] != nil {
  package.targets += [
    .systemLibrary(name: "CFuzzer", path: "Fuzz/CFuzzer"),
    .executableTarget(name: "fuzz", dependencies: ["FuzzTargets", "CFuzzer"], path: "Fuzz/Driver"),
  ]
}
