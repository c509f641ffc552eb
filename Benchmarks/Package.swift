// swift-tools-version:6.1
import PackageDescription

let package = Package(
  name: "benchmarks",
  platforms: [.macOS(.v15)],
  products: [.executable(name: "bench", targets: ["Bench"]), .executable(name: "launch", targets: ["launch"])],
  dependencies: [.package(name: "chainrun", path: "..")],
  targets: [
    .systemLibrary(
      name: "CFloorLua", path: "CFloorLua", pkgConfig: "lua5.4", providers: [.apt(["liblua5.4-dev"]), .brew(["lua"])]),
    // What plain C takes for the same work, with the same Lua.
    .target(
      name: "Floors", dependencies: ["CFloorLua"], path: "Floors", cSettings: [.define("_GNU_SOURCE")],
      linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
    // Runs a program and says what it took; small, so that its own memory is not taken for the program's.
    .executableTarget(name: "launch", path: "Launch", cSettings: [.define("_GNU_SOURCE")]),
    .executableTarget(
      name: "Bench",
      dependencies: [
        "Floors", .product(name: "ChainHost", package: "chainrun"), .product(name: "ChainModels", package: "chainrun"),
        .product(name: "LuaBridge", package: "chainrun"),
      ],
      path: "Bench"),
  ],
  swiftLanguageModes: [.v6]
)
